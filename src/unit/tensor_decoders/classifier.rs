//! Classifiers, which label the whole picture: `[1,C]`, or `[1,C,1,1]` in some graphs.

use super::candidates::Candidates;
use super::tensor::{Tensor, TensorError, all_finite, each_candidate, sigmoid, softmax};
use crate::model::output_layout::Activation;

pub(super) fn decode(
    output: Tensor<'_>,
    activation: Activation,
    found: &mut Candidates<'_>,
) -> Result<(), TensorError> {
    if output.expect([Some(1), None, Some(1), Some(1)]).is_err() {
        output.expect([Some(1), None])?;
    }
    all_finite(output.values)?;
    let mut scores = output.values.to_vec();
    match activation {
        Activation::None => {}
        Activation::Sigmoid => scores.iter_mut().for_each(|score| *score = sigmoid(*score)),
        Activation::Softmax => softmax(&mut scores),
    }
    each_candidate(&scores, found.threshold(), |class, score| {
        found.push_label(class, score);
        Ok(())
    })
}
