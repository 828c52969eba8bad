//! From GStreamer's errors to the reasons that decide when a camera is tried again.

use crate::ipc::messages::LossKind;
use gstreamer as gst;
use gstreamer::glib;

/// Why a stream ended, and what a person is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Loss {
    pub(super) kind: LossKind,
    pub(super) detail: String,
}

impl Loss {
    pub(super) fn new(kind: LossKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Tells no more than the kind.
    pub(super) fn of(kind: LossKind) -> Self {
        Self::new(kind, kind.words())
    }

    /// Reads an error message. Its debug string stays out of the detail: it holds the URL as given.
    pub(super) fn from_message(error: &gst::message::Error) -> Self {
        let status_of = |name: &str| error.details().and_then(|details| details.get::<u32>(name).ok());
        let (rtsp, http) = (status_of("rtsp-status-code"), status_of("http-status-code"));
        let kind = kind_of(&error.error(), rtsp.or(http));
        let words = |name: &str, status| format!(" ({name} status {status})");
        let status = rtsp.map(|status| words("RTSP", status)).or(http.map(|status| words("HTTP", status)));
        let status = status.unwrap_or_default();
        let what = http.map_or_else(|| error.error().message().to_owned(), |status| of_http(status).to_owned());
        Self { kind, detail: format!("{what}{status}") }
    }
}

/// What an HTTP status means. GStreamer tells it in the words of the camera, which may repeat the login.
fn of_http(status: u32) -> &'static str {
    match i32::try_from(status).map_or(LossKind::Other, LossKind::of_status) {
        LossKind::Other => "the camera answers with an error",
        kind => kind.words(),
    }
}

fn kind_of(error: &glib::Error, status: Option<u32>) -> LossKind {
    let told = status.and_then(|status| i32::try_from(status).ok()).map(LossKind::of_status);
    if let Some(kind) = told.filter(|kind| *kind != LossKind::Other) {
        return kind;
    }
    if let Some(error) = error.kind::<gst::ResourceError>() {
        return match error {
            gst::ResourceError::NotAuthorized => LossKind::AuthFailed,
            gst::ResourceError::NotFound => LossKind::NotFound,
            gst::ResourceError::Busy => LossKind::Busy,
            gst::ResourceError::OpenRead | gst::ResourceError::OpenReadWrite | gst::ResourceError::OpenWrite => {
                LossKind::Unreachable
            }
            gst::ResourceError::Read | gst::ResourceError::Write => LossKind::Unreachable,
            _ => LossKind::Other,
        };
    }
    if error.kind::<gst::StreamError>().is_some() || error.kind::<gst::CoreError>().is_some() {
        return LossKind::Codec;
    }
    LossKind::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_status_is_told_in_our_words() {
        assert_eq!(of_http(401), "the camera refuses the login");
        assert_eq!(of_http(302), "the camera redirects to another place");
        assert_eq!(of_http(400), "the camera answers with an error");
    }

    #[test]
    fn the_status_of_the_camera_decides_before_gstreamers_code() {
        let error = glib::Error::new(gst::ResourceError::OpenRead, "no");
        assert_eq!(kind_of(&error, Some(401)), LossKind::AuthFailed);
        assert_eq!(kind_of(&error, Some(404)), LossKind::NotFound);
        assert_eq!(kind_of(&error, Some(503)), LossKind::Busy);
        assert_eq!(kind_of(&error, None), LossKind::Unreachable);
        assert_eq!(kind_of(&glib::Error::new(gst::StreamError::Decode, "no"), None), LossKind::Codec);
    }
}
