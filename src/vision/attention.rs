//! How much of a camera's stream is decoded at the moment.

use serde::{Deserialize, Serialize};

/// The attention that a camera gets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// All its frames are decoded: something moves, or the camera is not to be watched.
    #[default]
    Followed,
    /// Something has begun to move, and what was received shortly before is being decoded.
    CatchingUp,
    /// The scene is still: only keyframes are decoded.
    Watched,
}

impl Attention {
    /// Its name in metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Followed => "followed",
            Self::CatchingUp => "catching_up",
            Self::Watched => "watched",
        }
    }
}
