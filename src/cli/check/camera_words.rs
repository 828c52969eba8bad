//! Why a camera could not be seen, in words for the operator, from what the capture process reports.

use crate::camera::settings::{CameraSettings, Transport};
use crate::ipc::messages::LossKind;

/// A reason, the setting of the camera that it is about, and the cure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CameraWords {
    pub(super) key: &'static str,
    pub(super) what: String,
    pub(super) cure: String,
}

/// What GStreamer says when a camera refuses the transport (RTSP status 461), or offers no video at all.
const NO_STREAM: [&str; 3] = ["No supported stream", "no protocols left", "RTSP status 461"];

/// `address` is that of the camera, which accepts TCP connections.
pub(super) fn explain(kind: LossKind, detail: &str, camera: &CameraSettings, (host, port): (&str, u16)) -> CameraWords {
    let words = |key, what: String, cure: &str| CameraWords { key, what, cure: cure.to_owned() };
    let is_tls = camera.url.starts_with("rtsps:");
    match kind {
        LossKind::AuthFailed if camera.credentials.user.is_none() => words(
            "credentials",
            format!("{host}:{port} wants a user and a password"),
            "set `credentials` of this camera",
        ),
        LossKind::AuthFailed => words(
            "credentials",
            format!("{host}:{port} refuses user and password ({detail})"),
            "correct them; a camera that locks the account after failed logins needs half an hour, or a restart",
        ),
        LossKind::NotFound => words(
            "url",
            format!("{host}:{port} has nothing at this path (RTSP status 404)"),
            "correct the path: the manual or the page of the camera says it",
        ),
        LossKind::Busy => words(
            "url",
            format!("{host}:{port} has no free session ({detail})"),
            "end other viewers, wait a minute for sessions that were cut off, or use its second stream",
        ),
        _ if NO_STREAM.iter().any(|words| detail.contains(words)) => {
            let (refused, other) = match camera.transport {
                Transport::Tcp => ("TCP", "udp"),
                Transport::Udp => ("UDP", "tcp"),
            };
            let what = format!(
                "{host}:{port} offers no video over {refused}: it refuses that transport (RTSP status 461), or has none"
            );
            words("transport", what, &format!("set `transport = \"{other}\"`"))
        }
        LossKind::Codec => {
            words("url", detail.to_owned(), "set the camera to H.264, H.265 or MJPEG, or use its second stream")
        }
        LossKind::Unreachable if is_tls => words(
            "url",
            format!(
                "{host}:{port} accepts connections, but there is no RTSP over TLS: its certificate may not be trusted"
            ),
            "put its authority into /usr/local/share/ca-certificates and run `update-ca-certificates`, or use rtsp://",
        ),
        LossKind::Unreachable | LossKind::Stalled => words(
            "url",
            format!("{host}:{port} accepts connections, but does not answer in RTSP ({detail})"),
            "correct the port: RTSP is usually 554",
        ),
        LossKind::Ended => words("url", "its stream ends before a frame has come".to_owned(), "restart the camera"),
        LossKind::ProcessDied | LossKind::Other => words("url", detail.to_owned(), "try the URL with another player"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::collections::HashMap;

    fn explained(more: &str, kind: LossKind, detail: &str) -> CameraWords {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), format!("[[cameras]]\nid = \"yard\"\n{more}")).unwrap();
        let settings = Settings::load_with(&[file.path().to_owned()], HashMap::new()).unwrap();
        explain(kind, detail, &settings.cameras[0], ("cam", 554))
    }

    #[test]
    fn each_reason_names_the_setting_to_change() {
        let url = "url = \"rtsp://cam/x\"\n";
        let login = "url = \"rtsp://u:p@cam/x\"\n";
        let udp = "url = \"rtsp://cam/x\"\ntransport = \"udp\"\n";
        let no_stream = "No supported stream was found. You might need to allow more transport protocols";
        for (camera, kind, detail, key, words) in [
            (url, LossKind::AuthFailed, "Unauthorized (RTSP status 401)", "credentials", ["wants a user", "set"]),
            (login, LossKind::AuthFailed, "Unauthorized (RTSP status 401)", "credentials", ["refuses user", "locks"]),
            (url, LossKind::NotFound, "Not found (RTSP status 404)", "url", ["404", "correct the path"]),
            (url, LossKind::Busy, "(RTSP status 453)", "url", ["no free session", "second stream"]),
            (url, LossKind::Codec, no_stream, "transport", ["over TCP", "transport = \"udp\""]),
            (udp, LossKind::Codec, no_stream, "transport", ["over UDP", "transport = \"tcp\""]),
            (url, LossKind::Codec, "the camera sends `VP8`", "url", ["VP8", "H.264"]),
            ("url = \"rtsps://cam/x\"\n", LossKind::Unreachable, "Could not open", "url", ["certificate", "update-ca"]),
            (url, LossKind::Unreachable, "Could not read", "url", ["RTSP", "554"]),
        ] {
            let found = explained(camera, kind, detail);
            assert_eq!(found.key, key, "{found:?}");
            let text = format!("{} {}", found.what, found.cure);
            assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {text}");
        }
    }
}
