//! Detectors without NMS, such as YOLOv10 and CenterNet: `[1,N,6]`.
//!
//! Columns: left, top, right, bottom in pixels of the input, score, class. Rows with a score of 0 are padding. Source:
//! Ultralytics' end-to-end export.

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
