//! YOLO-NAS and DAMO-YOLO: boxes `[1,N,4]`, scores `[1,N,C]`.
//!
//! Corners are in pixels of the input, scores between 0 and 1. Sources: the exports of SuperGradients and DAMO-YOLO
//! without their post-processing.

use super::candidates::Candidates;
use super::ssd::each_class;
use super::tensor::{Tensor, TensorError};

pub(super) fn decode([boxes, scores]: [Tensor<'_>; 2], found: &mut Candidates<'_>) -> Result<(), TensorError> {
    let [_, places, _] = boxes.expect([Some(1), None, Some(4)])?;
    let boxes = boxes.values.as_chunks::<4>().0;
    each_class(scores, places, false, found, |found, place, class, score| found.push_pixels(class, score, boxes[place]))
}
