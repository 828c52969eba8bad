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

/// `address` is that of the camera, which accepts TCP connections.
pub(super) fn explain(kind: LossKind, detail: &str, camera: &CameraSettings, (host, port): (&str, u16)) -> CameraWords {
    let words = |key, what: String, cure: &str| CameraWords { key, what, cure: cure.to_owned() };
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
        LossKind::Transport => {
            let (refused, other) = match camera.transport {
                Transport::Udp => ("UDP", "tcp"),
                Transport::Tcp | Transport::Auto => ("TCP", "udp"),
            };
            let what = format!("{host}:{port} refuses to send over {refused} (RTSP status 461)");
            words("transport", what, &format!("set `transport = \"{other}\"` or \"auto\""))
        }
        LossKind::NoVideo => words("url", detail.to_owned(), "correct the path: this one is not a video"),
        LossKind::Certificate => words(
            "tls",
            format!("{host}:{port}: {detail}"),
            "compare the fingerprint with the one that the camera's page shows, and set `tls = { fingerprint = \"...\" }`",
        ),
        LossKind::Redirect => {
            words("url", format!("{host}:{port}: {detail}"), "set the URL of that place, or `follow_redirects = true`")
        }
        LossKind::Codec => {
            words("url", detail.to_owned(), "set the camera to H.264, H.265 or MJPEG, or use its second stream")
        }
        LossKind::Refused | LossKind::NoSuchName | LossKind::NoRoute => {
            words("url", format!("{host}:{port}: {detail}"), "correct address and port")
        }
        LossKind::Unreachable | LossKind::Stalled | LossKind::NotRtsp | LossKind::TimedOut => words(
            "url",
            format!("{host}:{port} accepts connections, but does not answer in RTSP ({detail})"),
            "correct the port: RTSP is usually 554",
        ),
        LossKind::Ended => words("url", "its stream ends before a frame has come".to_owned(), "restart the camera"),
        LossKind::ProcessDied | LossKind::Other => words("url", detail.to_owned(), "try the URL with another player"),
    }
}

/// Of a camera whose URL names a file.
pub(super) fn explain_clip(detail: String) -> CameraWords {
    let cure = "name a file with H.264, H.265 or MJPEG in it that this user may read";
    CameraWords { key: "url", what: detail, cure: cure.to_owned() }
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
        for (camera, kind, detail, key, words) in [
            (url, LossKind::AuthFailed, "Unauthorized (RTSP status 401)", "credentials", ["wants a user", "set"]),
            (login, LossKind::AuthFailed, "Unauthorized (RTSP status 401)", "credentials", ["refuses user", "locks"]),
            (url, LossKind::NotFound, "Not found (RTSP status 404)", "url", ["404", "correct the path"]),
            (url, LossKind::Busy, "(RTSP status 453)", "url", ["no free session", "second stream"]),
            (url, LossKind::Transport, "", "transport", ["over TCP", "transport = \"udp\""]),
            (udp, LossKind::Transport, "", "transport", ["over UDP", "transport = \"tcp\""]),
            (url, LossKind::Codec, "the camera sends `VP8`", "url", ["VP8", "H.264"]),
            (url, LossKind::Certificate, "the certificate is not trusted", "tls", ["not trusted", "fingerprint"]),
            (url, LossKind::Redirect, "the camera redirects to x", "url", ["redirects", "follow_redirects"]),
            (url, LossKind::Refused, "refuses the connection", "url", ["refuses", "port"]),
            (url, LossKind::Unreachable, "Could not read", "url", ["RTSP", "554"]),
        ] {
            let found = explained(camera, kind, detail);
            assert_eq!(found.key, key, "{found:?}");
            let text = format!("{} {}", found.what, found.cure);
            assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {text}");
        }
    }
}
