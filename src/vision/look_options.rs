//! How one picture from outside is to be looked at.

use crate::vision::framing::Framing;
use crate::vision::image_limits::ImageLimits;
use serde::{Deserialize, Serialize};

/// What the caller wants. A camera's frames are looked at as the model's manifest says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LookOptions {
    /// The least confidence, 0..=1; it alone decides. None: as the manifest says, for each label.
    pub min_confidence: Option<f32>,
    /// Which pictures are looked at at all.
    pub limits: ImageLimits,
    /// What of the picture is looked at.
    pub framing: Framing,
}
