//! From a model's raw output to detections: one file a layout.
//!
//! Pure functions over slices. A wrong shape, NaN or infinity is an error, never a panic and never
//! an empty result: "nothing seen" is not the same as "not understood".

mod ssd;
mod ssd_nms;
mod yolox;

use crate::model::manifest::{InputLayout, Thresholds};
use crate::model::output_layout::OutputLayout;
use crate::unit::picture_fit::Placement;
use crate::vision::detection::{ClassIndex, Detection};

/// One output tensor, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Sizes, outermost first.
    pub shape: &'a [i64],
    /// The values.
    pub values: &'a [f32],
}

/// Output that the layout does not allow.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TensorError {
    /// Fewer tensors than the layout has.
    #[error("the model gave {0} tensors, which are fewer than its layout has")]
    Missing(usize),
    /// A tensor has another shape.
    #[error("a tensor of shape {found:?} is not {expected}")]
    Shape {
        /// What came.
        found: Vec<i64>,
        /// What the layout says.
        expected: String,
    },
    /// NaN or infinity.
    #[error("the model's output is not finite")]
    NotFinite,
}

/// Decodes the tensors that [`OutputLayout::tensors`] names, in that order; most confident first.
///
/// # Errors
/// [`TensorError`] for output that the layout does not allow.
pub fn decode(
    layout: &OutputLayout,
    tensors: &[Tensor<'_>],
    input: &InputLayout,
    thresholds: &Thresholds,
    placement: &Placement,
) -> Result<Vec<Detection>, TensorError> {
    match (layout, tensors) {
        (OutputLayout::Ssd { .. }, [boxes, scores]) => ssd::decode(*boxes, *scores, thresholds, placement),
        (OutputLayout::SsdNms { .. }, [boxes, scores, classes, count]) => {
            ssd_nms::decode([*boxes, *scores, *classes, *count], thresholds, placement)
        }
        (OutputLayout::YoloxGrid { strides, .. }, [output]) => {
            yolox::decode(*output, strides, (input.width, input.height), thresholds, placement)
        }
        _ => Err(TensorError::Missing(tensors.len())),
    }
}

impl Tensor<'_> {
    /// Checks the number of axes, the sizes that are given, and that there is a value for each place.
    fn expect<const AXES: usize>(&self, sizes: [Option<usize>; AXES]) -> Result<[usize; AXES], TensorError> {
        let wrong = || TensorError::Shape { found: self.shape.to_vec(), expected: describe(&sizes) };
        let found: Result<Vec<usize>, _> = self.shape.iter().map(|size| usize::try_from(*size)).collect();
        let found: [usize; AXES] = found.map_err(|_| wrong())?.try_into().map_err(|_| wrong())?;
        let fits = found.iter().zip(&sizes).all(|(found, size)| size.is_none_or(|size| size == *found));
        let places = found.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if fits && places == Some(self.values.len()) { Ok(found) } else { Err(wrong()) }
    }
}

fn describe(sizes: &[Option<usize>]) -> String {
    let sizes: Vec<String> = sizes.iter().map(|size| size.map_or("N".to_owned(), |size| size.to_string())).collect();
    format!("[{}]", sizes.join(","))
}

/// Confidence above which a candidate counts; NaN and infinity are errors.
fn is_candidate(score: f32, threshold: f32) -> Result<bool, TensorError> {
    if score.is_finite() { Ok(score >= threshold) } else { Err(TensorError::NotFinite) }
}

fn class(index: usize) -> ClassIndex {
    ClassIndex(u16::try_from(index).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests;
