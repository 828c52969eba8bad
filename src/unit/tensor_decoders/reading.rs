//! The parameters common to all tensor decoders.

use crate::model::manifest::Thresholds;
use crate::unit::picture_fit::Placement;

/// How to convert one picture's output to detections.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Confidence, NMS overlap (IoU) and maximum number of detections.
    pub thresholds: &'a Thresholds,
    /// Maps boxes from the input to the picture.
    pub placement: &'a Placement,
}
