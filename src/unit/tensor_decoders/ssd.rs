//! SSD with anchors decoded in the graph: boxes `[1,N,4]`, scores `[1,N,C]`.

use super::{Tensor, TensorError, class, is_candidate};
use crate::model::manifest::Thresholds;
use crate::unit::picture_fit::Placement;
use crate::vision::detection::Detection;
use crate::vision::nms;

/// Every anchor may show several classes, as in TensorFlow's per-class suppression.
pub(super) fn decode(
    boxes: Tensor<'_>,
    scores: Tensor<'_>,
    thresholds: &Thresholds,
    placement: &Placement,
) -> Result<Vec<Detection>, TensorError> {
    let [_, anchors, _] = boxes.expect([Some(1), None, Some(4)])?;
    let [_, _, classes] = scores.expect([Some(1), Some(anchors), None])?;
    let mut candidates = Vec::new();
    let rows = scores.values.chunks_exact(classes.max(1));
    for (corners, row) in boxes.values.as_chunks::<4>().0.iter().zip(rows) {
        for (index, &score) in row.iter().enumerate() {
            if !is_candidate(score, thresholds.confidence)? {
                continue;
            }
            let [top, left, bottom, right] = *corners;
            if !corners.iter().all(|value| value.is_finite()) {
                return Err(TensorError::NotFinite);
            }
            let bounding_box = placement.ratios_to_picture(left, top, right, bottom);
            if bounding_box.is_some() {
                candidates.push(Detection { class: class(index), confidence: score.min(1.0), bounding_box });
            }
        }
    }
    Ok(nms::suppress(candidates, thresholds.iou, thresholds.max_detections))
}
