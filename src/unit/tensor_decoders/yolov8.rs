//! YOLOv8, v9, v11: `[1,4+C,N]`.
//!
//! Rows: centre and size in pixels of the input, class scores; segmentation and pose models have further rows, which
//! are ignored. Source: Ultralytics' ONNX export.

use super::candidates::{Candidates, around};
use super::tensor::{Tensor, TensorError, each_candidate};

pub(super) fn decode(
    output: Tensor<'_>,
    classes: Option<usize>,
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let [_, rows, places] = output.expect([Some(1), None, None])?;
    let classes = classes.unwrap_or(rows.saturating_sub(4));
    if classes == 0 || classes > rows.saturating_sub(4) {
        return Err(output.wrong(&format!("[1,4+{},N]", classes.max(1))));
    }
    let values = output.values;
    let scores = &values[4 * places..(4 + classes) * places];
    each_candidate(scores, found.threshold(), |index, score| {
        let place = index % places;
        let [x, y, width, height] = [0, 1, 2, 3].map(|row| values[row * places + place]);
        found.push_pixels(index / places, score, around(x, y, width, height))
    })
}
