//! NanoDet and PicoDet: for each stride, class scores and four distance distributions per place.
//!
//! The distance to a side is the expected value of the softmax over its bins, times the stride. Source: "Generalized
//! Focal Loss" (Li et al., 2020).

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, all_finite, each_candidate, softmax};

/// Scores `[1,N,C]`, distances `[1,N,4*bins]` (left, top, right, bottom). `center` is the offset of a place in its
/// cell, 0..1.
pub(super) fn decode(
    scores: &[Tensor<'_>],
    distances: &[Tensor<'_>],
    strides: &[u32],
    center: f32,
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    let (width, height) = found.input_size();
    for ((scores, distances), &stride) in scores.iter().zip(distances).zip(strides) {
        let columns = width.div_ceil(stride) as usize;
        let places = columns * height.div_ceil(stride) as usize;
        let [_, _, classes] = scores.expect([Some(1), Some(places), None])?;
        let [_, _, values] = distances.expect([Some(1), Some(places), None])?;
        if values == 0 || values % 4 != 0 {
            return Err(distances.wrong(&format!("[1,{places},4*bins]")));
        }
        let mut bins = vec![0.0; values / 4];
        let size = stride as f32;
        each_candidate(scores.values, found.threshold(), |index, score| {
            let (place, class) = (index / classes, index % classes);
            let row = &distances.values[place * values..(place + 1) * values];
            all_finite(row)?;
            let mut sides = [0.0; 4];
            for (side, distribution) in sides.iter_mut().zip(row.chunks_exact(bins.len())) {
                bins.copy_from_slice(distribution);
                *side = expected_bin(&mut bins) * size;
            }
            let (x, y) = (place % columns, place / columns);
            let (x, y) = ((x as f32 + center) * size, (y as f32 + center) * size);
            let [left, top, right, bottom] = sides;
            found.push_pixels(class, score, [x - left, y - top, x + right, y + bottom])
        })?;
    }
    Ok(())
}

/// The mean of the softmax of `logits`, which are overwritten.
fn expected_bin(logits: &mut [f32]) -> f32 {
    softmax(logits);
    logits.iter().enumerate().map(|(bin, share)| bin as f32 * share).sum()
}
