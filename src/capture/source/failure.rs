//! From GStreamer's errors of a connection to kinds of losses.
//!
//! The debug string of an error holds the URL as given, so only the part in brackets at its end is looked at, and never
//! passed on.

use crate::capture::stream_loss::Loss;
use crate::ipc::messages::LossKind;
use gstreamer as gst;

/// What went wrong, as far as GStreamer knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// The connection could not be made; why is not said.
    NotConnected,
    /// The reason.
    Lost(Loss),
}

/// Reads an error message; `is_playing` says whether the camera had begun to send.
pub(super) fn of_message(error: &gst::message::Error, is_playing: bool) -> Failure {
    let debug = error.debug().unwrap_or_default();
    match of_debug(&debug, is_playing) {
        Some(failure) => failure,
        None if is_playing || error.error().kind::<gst::ResourceError>().is_none() => {
            Failure::Lost(Loss::from_message(error))
        }
        None => Failure::Lost(unusable(Loss::from_message(error))),
    }
}

fn of_debug(debug: &str, is_playing: bool) -> Option<Failure> {
    if debug.contains("Failed to connect.") {
        return Some(Failure::NotConnected);
    }
    let (_, cause) = debug.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let of = |kind| Some(Failure::Lost(Loss::of(kind)));
    match cause {
        "Timeout while waiting for server response" if is_playing => of(LossKind::Stalled),
        "Timeout while waiting for server response" => of(LossKind::TimedOut),
        _ if is_playing && is_broken(cause) => {
            Some(Failure::Lost(Loss::new(LossKind::Ended, "the stream ended: the camera closed the connection")))
        }
        "Parse error" => of(LossKind::NotRtsp),
        _ if is_broken(cause) => {
            let detail = "the camera closes the connection instead of answering: see the port of its URL";
            Some(Failure::Lost(Loss::new(LossKind::NotRtsp, detail)))
        }
        _ => None,
    }
}

/// An answer that is one, and of no use.
fn unusable(loss: Loss) -> Loss {
    if loss.kind != LossKind::Other {
        return loss;
    }
    Loss::new(LossKind::NotRtsp, format!("what the camera answers cannot be used: {}", loss.detail))
}

fn is_broken(cause: &str) -> bool {
    ["Received end-of-file", "System error", "Network error", "Generic error"].contains(&cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHERE: &str = "../gst/rtsp/gstrtspsrc.c(6797): gst_rtspsrc_try_send (): /GstPipeline:p/GstRTSPSrc:r:\n";

    fn kind(cause: &str, is_playing: bool) -> Option<LossKind> {
        match of_debug(&format!("{WHERE}{cause}"), is_playing)? {
            Failure::NotConnected => None,
            Failure::Lost(loss) => Some(loss.kind),
        }
    }

    #[test]
    fn the_cause_in_brackets_decides() {
        let connect = of_debug(&format!("{WHERE}Failed to connect. (Generic error)"), false);
        assert_eq!(connect, Some(Failure::NotConnected));
        let receive = |cause: &str| format!("Could not receive message. ({cause})");
        let timeout = receive("Timeout while waiting for server response");
        assert_eq!(kind(&timeout, false), Some(LossKind::TimedOut));
        assert_eq!(kind(&timeout, true), Some(LossKind::Stalled));
        assert_eq!(kind(&receive("Parse error"), false), Some(LossKind::NotRtsp));
        assert_eq!(kind(&receive("Received end-of-file"), false), Some(LossKind::NotRtsp));
        assert_eq!(kind(&receive("System error"), true), Some(LossKind::Ended));
        assert_eq!(kind("Unhandled error", false), None);
    }
}
