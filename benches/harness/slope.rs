//! How fast something grows, whatever single outliers do.

use crate::statistics::median;

/// Values that are dropped at the beginning: caches fill and first allocations happen.
const WARM_UP: f64 = 0.1;

/// The values after the warm-up.
pub(crate) fn settled(values: &[f64]) -> &[f64] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a tenth of a length")]
    let dropped = (values.len() as f64 * WARM_UP).ceil() as usize;
    &values[dropped.min(values.len().saturating_sub(1))..]
}

/// By how much the values grow from one to the next: the median of the slopes between all pairs (Theil and Sen), without the
/// warm-up.
pub(crate) fn slope(values: &[f64]) -> f64 {
    let values = settled(values);
    let pairs = (0..values.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
    median(pairs.map(|(earlier, later)| (values[later] - values[earlier]) / (later - earlier) as f64).collect())
}

/// The median of the last quarter of the settled values less that of their first.
pub(crate) fn growth(values: &[f64]) -> f64 {
    let values = settled(values);
    let quarter = values.len().div_ceil(4);
    median(values[values.len() - quarter..].to_vec()) - median(values[..quarter].to_vec())
}
