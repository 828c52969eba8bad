//! RT-DETR, D-FINE and DEIM as they are deployed: labels `[1,N]`, boxes `[1,N,4]`, scores `[1,N]`.
//!
//! The graph scales its boxes to a size that it is given, by the unit the input's own: they then come in pixels of
//! the input, whatever the picture's size, and the way back is that of every other layout.

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, is_candidate, whole_number};

pub(super) fn decode([labels, boxes, scores]: [Tensor<'_>; 3], found: &mut Candidates<'_>) -> Result<(), TensorError> {
    let [_, places, _] = boxes.expect([Some(1), None, Some(4)])?;
    labels.expect([Some(1), Some(places)])?;
    scores.expect([Some(1), Some(places)])?;
    let columns = labels.values.iter().zip(scores.values);
    for (corners, (&label, &score)) in boxes.values.as_chunks::<4>().0.iter().zip(columns) {
        if is_candidate(score, found.threshold())? {
            found.push_pixels(whole_number(label)?, score, *corners)?;
        }
    }
    Ok(())
}
