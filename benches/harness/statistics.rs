//! The middle and the ends of measured values.

/// The middle of the values.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    percentile(values, 0.5)
}

/// The value that this share of the values does not exceed; 0 without values.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a list")]
pub(crate) fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let position = (values.len() as f64 * share) as usize;
    values.get(position.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
