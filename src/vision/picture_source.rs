//! Which stream of a camera a picture was made from.

use serde::{Deserialize, Serialize};

/// Where the picture of an analysed frame comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum PictureSource {
    /// It is the frame itself: its camera has one stream.
    Frame,
    /// It is a keyframe of the camera's main stream.
    Main {
        /// Milliseconds from the arrival of the frame to that of the keyframe; negative if that came first.
        offset_ms: i64,
    },
    /// It is the frame itself, since the main stream had no picture.
    FrameInstead {
        /// The reason, for the operator.
        why: String,
    },
}

impl PictureSource {
    /// The stream by its name: `main`, or `detect` for the analysed one; `None` if the camera has one only.
    pub fn stream(&self) -> Option<&'static str> {
        match self {
            Self::Frame => None,
            Self::Main { .. } => Some("main"),
            Self::FrameInstead { .. } => Some("detect"),
        }
    }
}
