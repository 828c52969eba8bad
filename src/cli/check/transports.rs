//! Whether another transport of RTP helps a camera that does not send over the one of its settings.

use crate::camera::settings::Transport;
use crate::camera::trial::TrialError;
use crate::ipc::camera_source::RtpTransport;
use crate::ipc::messages::LossKind;

/// The transport to try after this failure, if it may be the transport's.
pub(super) fn other_transport(url: &str, transport: Transport, failure: &TrialError) -> Option<RtpTransport> {
    if !url.starts_with("rtsp") {
        return None;
    }
    let is_refused = matches!(failure, TrialError::Lost { kind: LossKind::Transport, .. });
    let is_silent = match failure {
        TrialError::NoFrame { packets, .. } => *packets == 0,
        // The session is there, and GStreamer has waited for packets for as long as for a connection.
        TrialError::Lost { kind: LossKind::TimedOut | LossKind::Unreachable, .. } => transport == Transport::Udp,
        _ => false,
    };
    match transport {
        Transport::Udp if is_refused || is_silent => Some(RtpTransport::Tcp),
        Transport::Tcp if is_refused || is_silent => Some(RtpTransport::Udp),
        // One that is refused over TCP was tried over UDP as well.
        Transport::Auto if is_silent => Some(RtpTransport::Udp),
        Transport::Udp | Transport::Tcp | Transport::Auto => None,
    }
}

/// What is said when the other one helps: it, and the setting.
pub(super) fn helps(other: RtpTransport, failure: &TrialError, seen: &str) -> (String, String) {
    let (other, this) = names(other);
    let why = match failure {
        TrialError::Lost { kind: LossKind::Transport, .. } => {
            format!("the camera refuses to send over {this} (RTSP status 461)")
        }
        _ => format!("the camera sends nothing over {this}"),
    };
    let what = format!("{why}, but over {other} {seen}");
    (what, format!("set `transport = \"{}\"`", other.to_ascii_lowercase()))
}

/// What is added when it does not help either.
pub(super) fn does_not_help(other: RtpTransport, failure: &TrialError) -> String {
    format!("; over {} neither: {failure}", names(other).0)
}

/// The name of a transport, and that of the one it was tried instead of.
fn names(other: RtpTransport) -> (&'static str, &'static str) {
    if other == RtpTransport::Udp { ("UDP", "TCP") } else { ("TCP", "UDP") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn another_transport_is_tried_where_it_may_help_and_nowhere_else() {
        let lost = |kind| TrialError::Lost { kind, detail: String::new() };
        let silent = |packets| TrialError::NoFrame { packets, limit: Duration::from_secs(15) };
        let (tcp, udp) = (Some(RtpTransport::Tcp), Some(RtpTransport::Udp));
        for (transport, failure, expected) in [
            (Transport::Tcp, lost(LossKind::Transport), udp),
            (Transport::Udp, lost(LossKind::Transport), tcp),
            (Transport::Auto, lost(LossKind::Transport), None),
            (Transport::Tcp, silent(0), udp),
            (Transport::Udp, silent(0), tcp),
            (Transport::Auto, silent(0), udp),
            (Transport::Udp, silent(7), None),
            (Transport::Udp, lost(LossKind::TimedOut), tcp),
            (Transport::Tcp, lost(LossKind::TimedOut), None),
            // A second try would cost a second login.
            (Transport::Udp, lost(LossKind::AuthFailed), None),
        ] {
            assert_eq!(other_transport("rtsp://cam/x", transport, &failure), expected, "{transport:?} {failure:?}");
        }
        assert_eq!(other_transport("http://cam/x", Transport::Tcp, &silent(0)), None);
    }
}
