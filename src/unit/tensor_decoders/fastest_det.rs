//! FastestDet: `[1,5+C,rows,columns]`, one grid.
//!
//! Centre `tanh(p) + cell`, size `sigmoid(p)` of the input, score `objectness^0.6 * class^0.4`. Only the best class of
//! a cell counts, because the exponent exaggerates low class scores. Source: the post-processing of the FastestDet
//! repository.

use super::candidates::{Candidates, around};
use super::tensor::{Tensor, TensorError, all_finite, is_candidate, sigmoid};

pub(super) fn decode(output: Tensor<'_>, found: &mut Candidates<'_>) -> Result<(), TensorError> {
    let [_, channels, rows, columns] = output.expect([Some(1), None, None, None])?;
    if channels < 6 {
        return Err(output.wrong("[1,5+C,rows,columns]"));
    }
    let cells = rows * columns;
    let value = |channel: usize, cell: usize| output.values[channel * cells + cell];
    let threshold = found.threshold();
    for cell in 0..cells {
        let objectness = value(0, cell);
        // The factor of the class is at most 1.
        if !is_candidate(objectness, 0.0)? || objectness.powf(0.6) < threshold {
            continue;
        }
        let scores = (5..channels).map(|channel| value(channel, cell));
        let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((class, score)) = best else { continue };
        let score = objectness.powf(0.6) * score.powf(0.4);
        if !is_candidate(score, threshold)? {
            continue;
        }
        let (cell_x, cell_y) = ((cell % columns) as f32, (cell / columns) as f32);
        let place = [1, 2, 3, 4].map(|channel| value(channel, cell));
        all_finite(&place)?;
        let x = (place[0].tanh() + cell_x) / columns as f32;
        let y = (place[1].tanh() + cell_y) / rows as f32;
        found.push_ratios(class, score, around(x, y, sigmoid(place[2]), sigmoid(place[3])))?;
    }
    Ok(())
}
