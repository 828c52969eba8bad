//! RT-DETR, D-FINE and DEIM in their deployment export: labels `[1,N]`, boxes `[1,N,4]`, scores `[1,N]`.
//!
//! The graph scales its boxes to the size in its second input. The unit passes the size of the model's input, so boxes
//! are in pixels of the input, as in other layouts.

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
