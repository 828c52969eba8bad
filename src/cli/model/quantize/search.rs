//! Tries ways to quantise a model on the pictures of the calibration, and takes the one that is most like the float model.

use crate::cli::model::quantize::bench::{Bench, Looked};
use crate::cli::model::quantize::candidates::{self, Candidate, PARTS, RULES, Rule};
use crate::cli::model::quantize::pictures::Picture;
use crate::evaluation::agreement::{Agreement, Comparison};
use crate::ipc::quantize_messages::{FloatPart, Observed, QuantizeStep};
use crate::model::manifest::Manifest;
use indicatif::ProgressBar;
use std::error::Error;

/// How often the pictures of the calibration are looked at: once for each way, and once for what is observed.
pub(super) const LOOKS: usize = RULES.len() + PARTS.len();

/// What a search is made with.
pub(super) struct Search<'a> {
    pub(super) bench: &'a Bench<'a>,
    pub(super) manifest: &'a Manifest,
    /// Of the values between the convolutions.
    pub(super) observed: &'a [Observed],
    pub(super) calibration: &'a [Picture],
    /// What the float model sees in these pictures.
    pub(super) float: &'a [Looked],
    pub(super) bar: &'a ProgressBar,
}

impl Search<'_> {
    /// Tries the rules for ranges first, and with the best of them how much stays in 32 bits. Returns the best, and all.
    pub(super) async fn run(&self) -> Result<(Candidate, Vec<Candidate>), Box<dyn Error>> {
        let mut tried: Vec<Candidate> = Vec::new();
        for rule in RULES {
            tried.push(self.attempt(tried.len(), rule, PARTS[0]).await?);
        }
        let rule = candidates::best(&tried).map_or(RULES[0], |best| best.rule);
        for part in PARTS.into_iter().skip(1) {
            tried.push(self.attempt(tried.len(), rule, part).await?);
        }
        match candidates::best(&tried).cloned() {
            Some(best) => Ok((best, tried)),
            None => {
                let why = tried.into_iter().find_map(|one| one.failure).unwrap_or_default();
                Err(format!("{} cannot be quantised: {why}", self.manifest.name).into())
            }
        }
    }

    async fn attempt(&self, number: usize, rule: Rule, part: FloatPart) -> Result<Candidate, Box<dyn Error>> {
        let step = QuantizeStep::Write { ranges: rule.ranges(self.observed), float: part };
        let (package, quantized) = self.bench.write(&format!("candidate-{number}"), step).await?;
        // A twin that does not see the canary, or fails for a picture, is out; the next one may do.
        let (agreement, failure) = match self.bench.look(&package, self.calibration, self.bar).await {
            Ok(looked) => (compare(self.manifest, self.float, &looked), None),
            Err(error) => (Agreement::default(), Some(error.to_string())),
        };
        Ok(Candidate { rule, part, package, quantized, agreement, failure })
    }
}

/// Compares what two models see, from the threshold of the manifest on.
pub(super) fn compare(manifest: &Manifest, float: &[Looked], other: &[Looked]) -> Agreement {
    let mut comparison = Comparison::new(manifest.thresholds.confidence);
    float.iter().zip(other).for_each(|(float, other)| comparison.add(float, other));
    comparison.agreement()
}
