//! What the decoders of all layouts are given beside the tensors.

use crate::model::manifest::Thresholds;
use crate::unit::picture_fit::Placement;

/// What makes detections of one picture's places: where it lies in the input, and what counts.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What counts as seen.
    pub thresholds: &'a Thresholds,
    /// Where the picture lies in the input.
    pub placement: &'a Placement,
}
