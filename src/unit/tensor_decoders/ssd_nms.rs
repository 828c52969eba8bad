//! SSD with NMS in the graph, as exported by the TensorFlow Object Detection API.

use super::candidates::Candidates;
use super::ssd::left_first;
use super::tensor::{Tensor, TensorError, is_candidate, whole_number};
use crate::model::output_layout::Corners;

/// Boxes `[1,K,4]`, scores `[1,K]`, classes `[1,K]` starting at 1, count `[1]`. Rows after the count are padding.
pub(super) fn decode(
    [boxes, scores, classes, count]: [Tensor<'_>; 4],
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let [_, rows, _] = boxes.expect([Some(1), None, Some(4)])?;
    scores.expect([Some(1), Some(rows)])?;
    classes.expect([Some(1), Some(rows)])?;
    count.expect([Some(1)])?;
    let valid = whole_number(count.values[0])?;
    if valid > rows {
        return Err(TensorError::NotANumber(format!("a count of {valid} in {rows} rows")));
    }
    let columns = scores.values.iter().zip(classes.values);
    for (corners, (&score, &class)) in boxes.values.as_chunks::<4>().0.iter().zip(columns).take(valid) {
        if is_candidate(score, found.threshold())? {
            let class = whole_number(class - 1.0)?;
            found.push_ratios(class, score, left_first(*corners, Corners::Yxyx))?;
        }
    }
    Ok(())
}
