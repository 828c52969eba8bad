//! `[canary]` of a manifest.

use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// A picture in the package, and what it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// A JPEG or PNG in the package's directory.
    pub image: String,
    /// Least overlap of a box with the one that is expected, 0..=1.
    #[serde(default = "default_least_iou")]
    pub least_iou: f32,
    /// What must be seen; more may be.
    pub expect: Vec<Expected>,
}

/// One thing in the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// A line of `labels.txt`.
    pub label: String,
    /// Ratios of the picture; absent for a label of the whole picture.
    #[serde(rename = "box", default)]
    pub bounding_box: Option<NormalizedBox>,
}

fn default_least_iou() -> f32 {
    0.9
}
