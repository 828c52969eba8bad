//! YOLOv7 and YOLOv9 with NMS in the graph: `[N,7]`, as many rows as there are detections.
//!
//! Columns: number of the picture in its batch, left, top, right, bottom in pixels of the input, class, score. Source:
//! the end-to-end export of the YOLOv7 repository for ONNX Runtime.

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, is_candidate, whole_number};

pub(super) fn decode(output: Tensor<'_>, found: &mut Candidates<'_>) -> Result<(), TensorError> {
    output.expect([None, Some(7)])?;
    for &[picture, left, top, right, bottom, class, score] in output.values.as_chunks::<7>().0 {
        // There is one picture in a batch of this layout; a row of another is none of its detections.
        let is_ours = !is_candidate(picture, 0.5)?;
        if is_ours && is_candidate(score, found.threshold())? {
            found.push_pixels(whole_number(class)?, score, [left, top, right, bottom])?;
        }
    }
    Ok(())
}
