//! Slices with a shape, and what is wrong with them.

/// One output tensor of one picture, row-major.
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
    /// Another number of tensors than the layout has.
    #[error("the model gave {0} tensors, which is not what its layout has")]
    Missing(usize),
    /// A tensor has another shape.
    #[error("a tensor of shape {found:?} is not {expected}")]
    Shape {
        /// The shape that the model gave.
        found: Vec<i64>,
        /// What the layout says.
        expected: String,
    },
    /// NaN or infinity.
    #[error("the model's output is not finite")]
    NotFinite,
    /// A class or a count that is none.
    #[error("the model's output has {0} where a class or a count should be")]
    NotANumber(String),
}

impl Tensor<'_> {
    /// Checks the number of axes, the sizes that are given, and that there is a value for each place.
    pub(super) fn expect<const AXES: usize>(&self, sizes: [Option<usize>; AXES]) -> Result<[usize; AXES], TensorError> {
        let wrong = || self.wrong(&describe(&sizes));
        let found: Result<Vec<usize>, _> = self.shape.iter().map(|size| usize::try_from(*size)).collect();
        let found: [usize; AXES] = found.map_err(|_| wrong())?.try_into().map_err(|_| wrong())?;
        let fits = found.iter().zip(&sizes).all(|(found, size)| size.is_none_or(|size| size == *found));
        let places = found.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if fits && places == Some(self.values.len()) { Ok(found) } else { Err(wrong()) }
    }

    /// The error that names this tensor's shape and what it should be.
    pub(super) fn wrong(&self, expected: &str) -> TensorError {
        TensorError::Shape { found: self.shape.to_vec(), expected: expected.to_owned() }
    }
}

fn describe(sizes: &[Option<usize>]) -> String {
    let sizes: Vec<String> = sizes.iter().map(|size| size.map_or("N".to_owned(), |size| size.to_string())).collect();
    format!("[{}]", sizes.join(","))
}

/// How many scores are looked at together. Nearly all are below the threshold, and this many are passed over by a
/// few vector instructions.
const AT_A_GLANCE: usize = 16;

/// Calls `found` with position and score for each that is at least `threshold`.
///
/// # Errors
/// When a score is NaN or infinite, and what `found` says.
pub(super) fn each_candidate(
    scores: &[f32],
    threshold: f32,
    mut found: impl FnMut(usize, f32) -> Result<(), TensorError>,
) -> Result<(), TensorError> {
    // False for NaN and for minus infinity too, which the slow way then finds.
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

/// True from the threshold on; NaN and infinity are errors.
pub(super) fn is_candidate(score: f32, threshold: f32) -> Result<bool, TensorError> {
    if score.is_finite() { Ok(score >= threshold) } else { Err(TensorError::NotFinite) }
}

/// Fails for values of which one is NaN or infinite, where a formula would make something finite of it.
pub(super) fn all_finite(values: &[f32]) -> Result<(), TensorError> {
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(TensorError::NotFinite) }
}

/// A class or a count, which some graphs give as a float.
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

/// Replaces values by `exp(value) / Σ exp`; nothing of an empty slice.
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
