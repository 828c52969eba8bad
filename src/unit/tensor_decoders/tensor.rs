//! Tensors as slices with a shape, their checks, and numeric helpers.

/// One output tensor of one picture, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Sizes of the axes, outermost first, with a batch size of 1.
    pub shape: &'a [i64],
    /// The values, as many as the product of the sizes.
    pub values: &'a [f32],
}

/// Output that does not match the layout.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TensorError {
    /// The number of tensors differs from the layout's.
    #[error("the model has {0} output tensors, which is not the number of its layout")]
    Missing(usize),
    /// The shape of a tensor differs from the layout's.
    #[error("a tensor of shape {found:?} is not {expected}")]
    Shape {
        /// Shape of the tensor.
        found: Vec<i64>,
        /// Shape in the layout, with `N` for a variable size.
        expected: String,
    },
    /// A score or a box is NaN or infinite.
    #[error("the model's output is not finite")]
    NotFinite,
    /// A class or a count is negative, too large or NaN.
    #[error("the model's output has {0} where a class or a count should be")]
    NotANumber(String),
}

impl Tensor<'_> {
    /// Checks the number of axes, the given sizes, and the number of values. Returns all sizes.
    pub(super) fn expect<const AXES: usize>(&self, sizes: [Option<usize>; AXES]) -> Result<[usize; AXES], TensorError> {
        let wrong = || self.wrong(&describe(&sizes));
        let found: Result<Vec<usize>, _> = self.shape.iter().map(|size| usize::try_from(*size)).collect();
        let found: [usize; AXES] = found.map_err(|_| wrong())?.try_into().map_err(|_| wrong())?;
        let fits = found.iter().zip(&sizes).all(|(found, size)| size.is_none_or(|size| size == *found));
        let places = found.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if fits && places == Some(self.values.len()) { Ok(found) } else { Err(wrong()) }
    }

    /// The error with this tensor's shape and the expected one.
    pub(super) fn wrong(&self, expected: &str) -> TensorError {
        TensorError::Shape { found: self.shape.to_vec(), expected: expected.to_owned() }
    }
}

fn describe(sizes: &[Option<usize>]) -> String {
    let sizes: Vec<String> = sizes.iter().map(|size| size.map_or("N".to_owned(), |size| size.to_string())).collect();
    format!("[{}]", sizes.join(","))
}

/// Number of scores checked at once. Nearly all scores are below the threshold, and a few vector instructions skip a
/// whole chunk.
const AT_A_GLANCE: usize = 16;

/// Calls `found` with index and score for each score of at least `threshold`.
///
/// # Errors
/// When a score is NaN or infinite, or the error of `found`.
pub(super) fn each_candidate(
    scores: &[f32],
    threshold: f32,
    mut found: impl FnMut(usize, f32) -> Result<(), TensorError>,
) -> Result<(), TensorError> {
    // Also false for NaN and minus infinity, which the slow path then reports.
    let is_passed_over = |score: f32| (score < threshold) & (score >= f32::MIN);
    for (chunk_index, chunk) in scores.chunks(AT_A_GLANCE).enumerate() {
        if chunk.iter().fold(true, |all, score| all & is_passed_over(*score)) {
            continue;
        }
        for (index, &score) in chunk.iter().enumerate() {
            if is_candidate(score, threshold)? {
                found(chunk_index * AT_A_GLANCE + index, score)?;
            }
        }
    }
    Ok(())
}

/// True if `score` is at least `threshold`. NaN and infinity are errors.
pub(super) fn is_candidate(score: f32, threshold: f32) -> Result<bool, TensorError> {
    if score.is_finite() { Ok(score >= threshold) } else { Err(TensorError::NotFinite) }
}

/// Fails if a value is NaN or infinite. Needed before a formula that could map it to a finite value.
pub(super) fn all_finite(values: &[f32]) -> Result<(), TensorError> {
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(TensorError::NotFinite) }
}

/// Converts a class or a count, which some graphs output as a float.
pub(super) fn whole_number(value: f32) -> Result<usize, TensorError> {
    if !(0.0..=f32::from(u16::MAX)).contains(&value) {
        return Err(TensorError::NotANumber(value.to_string()));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 65535")]
    Ok(value.round() as usize)
}

/// The logistic function.
pub(super) fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

/// Replaces values by `exp(value) / Σ exp`. An empty slice stays empty.
pub(super) fn softmax(values: &mut [f32]) {
    let largest = values.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for value in &mut *values {
        *value = (*value - largest).exp();
        sum += *value;
    }
    for value in values {
        *value /= sum;
    }
}
