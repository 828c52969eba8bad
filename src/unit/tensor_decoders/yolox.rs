//! YOLOX as its ONNX export gives it by default: `[1,N,5+C]` on undecoded grids.
//!
//! Source of the formula: the `demo_postprocess` of the YOLOX reference implementation:
//! `xy = (p + cell) * stride`, `wh = exp(p) * stride`, `score = objectness * class`.

use super::{Tensor, TensorError, class, is_candidate};
use crate::model::manifest::Thresholds;
use crate::unit::picture_fit::Placement;
use crate::vision::detection::Detection;
use crate::vision::nms;

/// The best class of each cell counts, as in the reference implementation.
pub(super) fn decode(
    output: Tensor<'_>,
    strides: &[u32],
    (width, height): (u32, u32),
    thresholds: &Thresholds,
    placement: &Placement,
) -> Result<Vec<Detection>, TensorError> {
    let cells: usize = strides.iter().map(|stride| (width / stride) as usize * (height / stride) as usize).sum();
    let [_, _, columns] = output.expect([Some(1), Some(cells), None])?;
    if columns < 6 {
        let found = output.shape.to_vec();
        return Err(TensorError::Shape { found, expected: format!("[1,{cells},5+C]") });
    }
    let mut rows = output.values.chunks_exact(columns);
    let mut candidates = Vec::new();
    for &stride in strides {
        for cell_y in 0..height / stride {
            for cell_x in 0..width / stride {
                let Some(row) = rows.next() else { break };
                candidates.extend(decode_cell(row, (cell_x, cell_y), stride, thresholds.confidence, placement)?);
            }
        }
    }
    Ok(nms::suppress(candidates, thresholds.iou, thresholds.max_detections))
}

fn decode_cell(
    row: &[f32],
    (cell_x, cell_y): (u32, u32),
    stride: u32,
    threshold: f32,
    placement: &Placement,
) -> Result<Option<Detection>, TensorError> {
    let [x, y, log_width, log_height, objectness, scores @ ..] = row else { return Ok(None) };
    // No class can lift a cell above the threshold that its objectness has not.
    if !is_candidate(*objectness, threshold)? {
        return Ok(None);
    }
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let Some((index, score)) = best else { return Ok(None) };
    let confidence = objectness * score;
    if !is_candidate(confidence, threshold)? {
        return Ok(None);
    }
    let stride = stride as f32;
    let (center_x, center_y) = ((x + cell_x as f32) * stride, (y + cell_y as f32) * stride);
    let (half_width, half_height) = (log_width.exp() * stride / 2.0, log_height.exp() * stride / 2.0);
    if ![center_x, center_y, half_width, half_height].iter().all(|value| value.is_finite()) {
        return Err(TensorError::NotFinite);
    }
    let (left, right) = (center_x - half_width, center_x + half_width);
    let bounding_box = placement.to_picture(left, center_y - half_height, right, center_y + half_height);
    let detection = |bounding_box| Detection { class: class(index), confidence: confidence.min(1.0), bounding_box };
    Ok(bounding_box.map(|bounding_box| detection(Some(bounding_box))))
}
