//! What a tracker is given.

use crate::vision::geometry::NormalizedBox;

/// One detection, with the name of its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedDetection<'a> {
    /// The label's name in the model.
    pub label: &'a str,
    /// 0..=1. NaN is filtered out.
    pub confidence: f32,
    /// `None` for a label of the whole picture.
    pub bounding_box: Option<NormalizedBox>,
    /// True if the model's own threshold keeps it back: it begins nothing, whatever the camera's threshold is.
    pub is_weak: bool,
}
