//! The state of a camera's connection.

use serde::{Deserialize, Serialize};

/// The state of a camera's connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum CameraStatus {
    /// A connection is being made.
    Connecting,
    /// Frames are arriving.
    Streaming,
    /// The connection was open but frames stopped; it is being reconnected.
    Stalled,
    /// The camera rejects the credentials. Retried rarely, because cameras lock accounts.
    AuthFailed,
    /// The camera cannot be reached; retried with backoff.
    Offline,
    /// Configured, but switched off.
    Disabled,
}

impl CameraStatus {
    /// The name in kebab case, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Streaming => "streaming",
            Self::Stalled => "stalled",
            Self::AuthFailed => "auth-failed",
            Self::Offline => "offline",
            Self::Disabled => "disabled",
        }
    }
}
