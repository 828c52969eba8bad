//! Converts a model's raw output to detections, with one file per layout.
//!
//! Pure functions over slices. A wrong shape, NaN or infinity is an error, never a panic or an empty result: an empty
//! result means that the picture shows no object. A place (anchor or grid cell) of a detector may yield several
//! classes, one for each score that reaches the threshold, unless the layout defines otherwise.

mod candidates;
mod classifier;
mod detr;
mod end_to_end;
mod end_to_end_rows;
mod fastest_det;
mod nano_det;
mod pixel_boxes;
mod reading;
mod rt_detr;
mod ssd;
mod ssd_anchors;
mod ssd_nms;
mod tensor;
mod yolov5;
mod yolov8;
mod yolox_grid;

pub use reading::Reading;
pub use tensor::{Tensor, TensorError};

use crate::model::output_layout::OutputLayout;
use crate::vision::detection::Detection;
use candidates::Candidates;

/// Decodes the tensors of one picture, in the order of [`OutputLayout::tensors`]. Returns detections in the picture's
/// normalised coordinates, most confident first.
///
/// # Errors
/// [`TensorError`] for output that does not match the layout.
pub fn decode(
    layout: &OutputLayout,
    tensors: &[Tensor<'_>],
    reading: &Reading<'_>,
) -> Result<Vec<Detection>, TensorError> {
    let mut found = Candidates::new(reading);
    match (layout, tensors) {
        (OutputLayout::Ssd { corners, background, .. }, [boxes, scores]) => {
            ssd::decode([*boxes, *scores], *corners, *background, &mut found)?;
        }
        (OutputLayout::PixelBoxes { .. }, [boxes, scores]) => pixel_boxes::decode([*boxes, *scores], &mut found)?,
        (OutputLayout::SsdAnchors { encoding, corners, background, .. }, [offsets, anchors, scores]) => {
            ssd_anchors::decode([*offsets, *anchors, *scores], (*encoding, *corners, *background), &mut found)?;
        }
        (OutputLayout::SsdNms { .. }, [boxes, scores, classes, count]) => {
            ssd_nms::decode([*boxes, *scores, *classes, *count], &mut found)?;
        }
        (OutputLayout::YoloxGrid { strides, .. }, [output]) => yolox_grid::decode(*output, strides, &mut found)?,
        (OutputLayout::Yolov5 { .. }, [output]) => yolov5::decode(*output, &mut found)?,
        (OutputLayout::Yolov8 { classes, .. }, [output]) => yolov8::decode(*output, *classes, &mut found)?,
        (OutputLayout::EndToEnd { .. }, [output]) => end_to_end::decode(*output, &mut found)?,
        (OutputLayout::EndToEndRows { .. }, [output]) => end_to_end_rows::decode(*output, &mut found)?,
        (OutputLayout::Detr { activation, .. }, [logits, boxes]) => {
            detr::decode([*logits, *boxes], *activation, &mut found)?;
        }
        (OutputLayout::RtDetr { .. }, [labels, boxes, scores]) => {
            rt_detr::decode([*labels, *boxes, *scores], &mut found)?;
        }
        (OutputLayout::NanoDet { strides, center, .. }, tensors) if tensors.len() == 2 * strides.len() => {
            let (scores, distances) = tensors.split_at(strides.len());
            nano_det::decode(scores, distances, strides, *center, &mut found)?;
        }
        (OutputLayout::FastestDet { .. }, [output]) => fastest_det::decode(*output, &mut found)?,
        (OutputLayout::Classifier { activation, .. }, [output]) => {
            classifier::decode(*output, *activation, &mut found)?;
        }
        _ => return Err(TensorError::Missing(tensors.len())),
    }
    Ok(if needs_suppression(layout) { found.suppressed() } else { found.ranked() })
}

/// True if the layout needs NMS. False if the graph contains NMS, or the model was trained to yield one box per object.
fn needs_suppression(layout: &OutputLayout) -> bool {
    match layout {
        OutputLayout::Ssd { .. }
        | OutputLayout::PixelBoxes { .. }
        | OutputLayout::SsdAnchors { .. }
        | OutputLayout::YoloxGrid { .. }
        | OutputLayout::Yolov5 { .. }
        | OutputLayout::Yolov8 { .. }
        | OutputLayout::NanoDet { .. }
        | OutputLayout::FastestDet { .. } => true,
        OutputLayout::SsdNms { .. }
        | OutputLayout::EndToEnd { .. }
        | OutputLayout::EndToEndRows { .. }
        | OutputLayout::Detr { .. }
        | OutputLayout::RtDetr { .. }
        | OutputLayout::Classifier { .. } => false,
    }
}

#[cfg(test)]
mod tests;
