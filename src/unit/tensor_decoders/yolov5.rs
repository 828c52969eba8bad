//! YOLOv5, YOLOv7, and YOLOX decoded in the graph: `[1,N,5+C]`.
//!
//! Columns: centre and size in pixels of the input, objectness, class scores; `score = objectness * class`. Source:
//! `non_max_suppression` of the YOLOv5 repository.

use super::candidates::{Candidates, around};
use super::tensor::{Tensor, TensorError, each_candidate, is_candidate};

pub(super) fn decode(output: Tensor<'_>, found: &mut Candidates<'_>) -> Result<(), TensorError> {
    let [_, _, columns] = output.expect([Some(1), None, None])?;
    if columns < 6 {
        return Err(output.wrong("[1,N,5+C]"));
    }
    for row in output.values.chunks_exact(columns) {
        let corners = around(row[0], row[1], row[2], row[3]);
        each_class(row, found, |found, class, score| found.push_pixels(class, score, corners))?;
    }
    Ok(())
}

/// Calls `take` with class and score for each class of a row that reaches the threshold. A row has at least 6 columns.
pub(super) fn each_class(
    row: &[f32],
    found: &mut Candidates<'_>,
    mut take: impl FnMut(&mut Candidates<'_>, usize, f32) -> Result<(), TensorError>,
) -> Result<(), TensorError> {
    let (objectness, threshold) = (row[4], found.threshold());
    // Class scores are at most 1, so the score cannot exceed the objectness.
    if !is_candidate(objectness, threshold)? {
        return Ok(());
    }
    each_candidate(&row[5..], threshold / objectness.max(f32::MIN_POSITIVE), |class, score| {
        let confidence = objectness * score;
        // The division may have been rounded down.
        if is_candidate(confidence, threshold)? { take(found, class, confidence) } else { Ok(()) }
    })
}
