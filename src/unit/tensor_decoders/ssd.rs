//! SSD with boxes decoded in the graph: boxes `[1,N,4]`, scores `[1,N,C]`.

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, each_candidate};
use crate::model::output_layout::Corners;

pub(super) fn decode(
    [boxes, scores]: [Tensor<'_>; 2],
    corners: Corners,
    background: bool,
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let [_, anchors, _] = boxes.expect([Some(1), None, Some(4)])?;
    let boxes = boxes.values.as_chunks::<4>().0;
    each_class(scores, anchors, background, found, |found, anchor, class, score| {
        found.push_ratios(class, score, left_first(boxes[anchor], corners))
    })
}

/// Calls `take` with anchor, class and score for each score that reaches the threshold. Column 0 is skipped if it is
/// the background.
pub(super) fn each_class(
    scores: Tensor<'_>,
    anchors: usize,
    background: bool,
    found: &mut Candidates<'_>,
    mut take: impl FnMut(&mut Candidates<'_>, usize, usize, f32) -> Result<(), TensorError>,
) -> Result<(), TensorError> {
    let [_, _, columns] = scores.expect([Some(1), Some(anchors), None])?;
    each_candidate(scores.values, found.threshold(), |index, score| {
        match (index % columns).checked_sub(usize::from(background)) {
            Some(class) => take(found, index / columns, class, score),
            None => Ok(()),
        }
    })
}

/// Reorders corners to left, top, right, bottom.
pub(super) fn left_first(corners: [f32; 4], order: Corners) -> [f32; 4] {
    let [a, b, c, d] = corners;
    match order {
        Corners::Xyxy => corners,
        Corners::Yxyx => [b, a, d, c],
    }
}
