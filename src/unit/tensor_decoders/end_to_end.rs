//! Detectors that need no suppression, as YOLOv10 and CenterNet: `[1,N,6]`.
//!
//! Source of the format: Ultralytics' end-to-end export: left, top, right, bottom in pixels of the input, score,
//! class. Rows of score 0 are padding.

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, is_candidate, whole_number};

pub(super) fn decode(output: Tensor<'_>, found: &mut Candidates<'_>) -> Result<(), TensorError> {
    output.expect([Some(1), None, Some(6)])?;
    for &[left, top, right, bottom, score, class] in output.values.as_chunks::<6>().0 {
        if is_candidate(score, found.threshold())? {
            found.push_pixels(whole_number(class)?, score, [left, top, right, bottom])?;
        }
    }
    Ok(())
}
