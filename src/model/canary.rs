//! `[canary]` of a manifest: a test picture with known content.

use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// A test picture in the package, and the detections that a unit must return for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// File name of a JPEG or PNG in the package's directory, at most 4 MiB.
    pub image: String,
    /// Minimum IoU of a detected box with the expected one, 0..=1.
    #[serde(default = "default_least_iou")]
    pub least_iou: f32,
    /// The required detections. Others do not matter.
    pub expect: Vec<Expected>,
}

/// One required detection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Its label, as in `labels.txt`.
    pub label: String,
    /// `None` accepts any box, and a label of the whole picture.
    #[serde(rename = "box", default)]
    pub bounding_box: Option<NormalizedBox>,
}

fn default_least_iou() -> f32 {
    0.9
}
