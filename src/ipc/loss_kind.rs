//! Why a camera is lost, in kinds that a person or the backoff can act on. Log, MQTT, HTTP and `ocelli check` use the same
//! words.

use serde::{Deserialize, Serialize};

/// Why a stream ended, or never began.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub enum LossKind {
    /// RTSP or HTTP status 401 or 403. Retried slowly, because cameras lock accounts after failed logins.
    AuthFailed,
    /// RTSP or HTTP status 404: the path is wrong.
    NotFound,
    /// Nobody listens at the port.
    Refused,
    /// The host name does not resolve.
    NoSuchName,
    /// The network has no way to the address.
    NoRoute,
    /// Neither the connection nor an answer came within the time limit.
    TimedOut,
    /// The connection broke, or could not be made for another reason.
    Unreachable,
    /// Something else than an RTSP server answers, or it ends the conversation.
    NotRtsp,
    /// The certificate of `rtsps://` is not trusted.
    Certificate,
    /// The camera sends the client elsewhere.
    Redirect,
    /// RTSP status 453 or 503: the camera has no free session.
    Busy,
    /// The camera refuses RTP over the transport of the settings.
    Transport,
    /// Neither a frame nor a packet came within the time limit.
    Stalled,
    /// The stream ended; a live one never does.
    Ended,
    /// No decoder for the stream's codec.
    Codec,
    /// The camera offers audio or metadata only.
    NoVideo,
    /// The capture process died.
    ProcessDied,
    /// Any other cause, see the detail.
    Other,
}

impl LossKind {
    /// What a person is told where nothing more is known.
    pub fn words(self) -> &'static str {
        match self {
            Self::AuthFailed => "the camera refuses the login",
            Self::NotFound => "the camera has no such path: see the path of its URL",
            Self::Refused => "the camera refuses the connection: see address and port",
            Self::NoSuchName => "the camera's host name is not known",
            Self::NoRoute => "there is no route to the camera: see address and network",
            Self::TimedOut => "the camera does not answer: see address, cable and firewall",
            Self::Unreachable => "the connection to the camera broke",
            Self::NotRtsp => "what answers at the camera's address is not RTSP: see the port",
            Self::Certificate => "the certificate is not trusted",
            Self::Redirect => "the camera redirects to another place",
            Self::Busy => "the camera has no free session",
            Self::Transport => "the camera refuses the transport: see `transport`",
            Self::Stalled => "nothing came from the camera for too long",
            Self::Ended => "the stream ended",
            Self::Codec => "the stream's codec cannot be decoded",
            Self::NoVideo => "the camera offers no video",
            Self::ProcessDied => "the capture process died",
            Self::Other => "the stream was lost",
        }
    }

    /// The kind for an RTSP status that refuses.
    pub fn of_status(status: i32) -> Self {
        match status {
            401 | 403 | 407 => Self::AuthFailed,
            404 | 410 => Self::NotFound,
            453 | 503 => Self::Busy,
            461 => Self::Transport,
            300..=399 => Self::Redirect,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_in_the_words_of_its_kind() {
        for (status, words) in [
            (401, "the camera refuses the login"),
            (404, "the camera has no such path: see the path of its URL"),
            (453, "the camera has no free session"),
            (302, "the camera redirects to another place"),
            (500, "the stream was lost"),
        ] {
            assert_eq!(LossKind::of_status(status).words(), words);
        }
    }
}
