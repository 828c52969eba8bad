//! How much of a figure may be chance: the pictures are drawn anew with repetition, and the figure is taken of each draw (the
//! percentile bootstrap: Efron and Tibshirani 1993). Two models are compared in the same draws, so that a picture which is
//! hard for both does not count as a difference.

use super::random::Random;
use ocelli::evaluation::{Evaluation, GroundTruth, ImageId};

/// More of them change an end of an interval by less than a thousandth.
const DRAWS: usize = 1000;

/// Of the draws, this share lies below an interval, and as many above.
const TAIL: f64 = 0.025;

/// Pictures, as many as there are, in each of many draws; the same in every run.
pub(super) struct Draws(Vec<Vec<ImageId>>);

impl Draws {
    pub(super) fn of(truth: &GroundTruth) -> Self {
        let images: Vec<ImageId> = truth.images().map(|image| image.id).collect();
        let mut random = Random(1);
        let mut draw = || (0..images.len()).map(|_| images[random.below(images.len())]).collect();
        Self((0..DRAWS).map(|_| draw()).collect())
    }

    /// Average precision over all classes of each draw, with the classes that it has.
    pub(super) fn average_precision(&self, evaluation: &Evaluation<'_>) -> Vec<f64> {
        let judged = evaluation.judged();
        self.0.iter().map(|images| judged.average_precision(images).unwrap_or(f64::NAN)).collect()
    }
}

/// Between which 95 % of the values lie.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a list")]
pub(super) fn interval(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let skipped = (values.len() as f64 * TAIL) as usize;
    [values[skipped], values[values.len() - 1 - skipped]]
}
