//! DETR and its variants: logits `[1,N,C]`, boxes `[1,N,4]` with centre and size, normalised to the input.
//!
//! Sources: `PostProcess` of DETR (softmax, the last column is "no object") and of Deformable DETR (sigmoid).

use super::candidates::{Candidates, around};
use super::tensor::{Tensor, TensorError, each_candidate, is_candidate, sigmoid, softmax};
use crate::model::output_layout::Activation;

pub(super) fn decode(
    [logits, boxes]: [Tensor<'_>; 2],
    activation: Activation,
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let [_, places, _] = boxes.expect([Some(1), None, Some(4)])?;
    let [_, _, columns] = logits.expect([Some(1), Some(places), None])?;
    let corners = |place: usize| {
        let [x, y, width, height] = boxes.values.as_chunks::<4>().0[place];
        around(x, y, width, height)
    };
    let threshold = found.threshold();
    if activation != Activation::Softmax {
        return each_candidate(logits.values, least_logit(threshold), |index, logit| {
            let score = sigmoid(logit);
            // The margin of the least logit also admits scores just below the threshold.
            let counts = is_candidate(score, threshold)?;
            if counts { found.push_ratios(index % columns, score, corners(index / columns)) } else { Ok(()) }
        });
    }
    let mut scores = Vec::with_capacity(columns);
    for (place, row) in logits.values.chunks_exact(columns.max(1)).enumerate() {
        scores.clear();
        scores.extend_from_slice(row);
        softmax(&mut scores);
        each_candidate(&scores, threshold, |class, score| {
            let is_object = class + 1 < columns;
            if is_object { found.push_ratios(class, score, corners(place)) } else { Ok(()) }
        })?;
    }
    Ok(())
}

/// A logit whose sigmoid is just below `threshold`. Clamped to a finite value, also for thresholds of 0 and 1.
fn least_logit(threshold: f32) -> f32 {
    ((threshold / (1.0 - threshold)).ln() - 1e-3).clamp(f32::MIN, f32::MAX)
}
