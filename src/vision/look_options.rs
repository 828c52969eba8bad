//! Options of one picture from an API caller.

use crate::vision::framing::Framing;
use crate::vision::image_limits::ImageLimits;
use serde::{Deserialize, Serialize};

/// The caller's options. Frames of cameras use the thresholds of the model's manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LookOptions {
    /// The confidence threshold for all labels, 0..=1. `None`: the manifest's threshold of each label.
    pub min_confidence: Option<f32>,
    /// Without `min_confidence`: also what is below the manifest's thresholds, down to its `weak_confidence`.
    pub weak: bool,
    /// Size limits; a picture outside of them is refused.
    pub limits: ImageLimits,
    /// Which parts of the picture are analysed.
    pub framing: Framing,
}
