//! The outputs of the TensorFlow Object Detection API: suppression has been done in the graph.

use super::{Tensor, TensorError, class, is_candidate};
use crate::model::manifest::Thresholds;
use crate::unit::picture_fit::Placement;
use crate::vision::detection::Detection;

/// Boxes `[1,K,4]`, scores `[1,K]`, classes `[1,K]` from 1, count `[1]`; rows beyond the count are padding.
pub(super) fn decode(
    [boxes, scores, classes, count]: [Tensor<'_>; 4],
    thresholds: &Thresholds,
    placement: &Placement,
) -> Result<Vec<Detection>, TensorError> {
    let [_, rows, _] = boxes.expect([Some(1), None, Some(4)])?;
    scores.expect([Some(1), Some(rows)])?;
    classes.expect([Some(1), Some(rows)])?;
    count.expect([Some(1)])?;
    let number = count.values[0];
    if !(0.0..=rows as f32).contains(&number) {
        return Err(TensorError::NotFinite);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of rows")]
    let valid = number as usize;

    let mut detections = Vec::new();
    let columns = scores.values.iter().zip(classes.values);
    for (corners, (&score, &number)) in boxes.values.as_chunks::<4>().0.iter().zip(columns).take(valid) {
        if !is_candidate(score, thresholds.confidence)? {
            continue;
        }
        if !number.is_finite() || number < 1.0 || !corners.iter().all(|value| value.is_finite()) {
            return Err(TensorError::NotFinite);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1; saturates above")]
        let index = number as usize - 1;
        let [top, left, bottom, right] = *corners;
        let bounding_box = placement.ratios_to_picture(left, top, right, bottom);
        if bounding_box.is_some() {
            detections.push(Detection { class: class(index), confidence: score.min(1.0), bounding_box });
        }
    }
    detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    detections.truncate(thresholds.max_detections);
    Ok(detections)
}
