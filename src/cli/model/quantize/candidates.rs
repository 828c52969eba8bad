//! The ways to quantise a model that are tried, and which one is best.

use crate::evaluation::agreement::Agreement;
use crate::ipc::quantize_messages::{ActivationRange, FloatPart, Observed, Quantized};
use serde::Serialize;
use std::path::PathBuf;

/// How the range of a value follows from what was observed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(super) enum Rule {
    /// From the least to the greatest value.
    #[serde(rename = "min-max")]
    MinMax,
    /// Without a hundred-thousandth of the values at either end.
    #[serde(rename = "99.999 %")]
    Percentile99999,
    /// Without a ten-thousandth.
    #[serde(rename = "99.99 %")]
    Percentile9999,
}

/// All rules, in the order in which they are tried.
pub(super) const RULES: [Rule; 3] = [Rule::MinMax, Rule::Percentile99999, Rule::Percentile9999];

/// What stays in 32 bits. The first is that with which the rules are tried.
pub(super) const PARTS: [FloatPart; 3] = [
    FloatPart { is_first: true, is_last: true },
    FloatPart { is_first: false, is_last: true },
    FloatPart { is_first: false, is_last: false },
];

/// What a model in 32 bits would have to be better by: they take time.
const COST_OF_FLOAT: f64 = 0.01;

/// A quantised model and how it did on the pictures of the calibration.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) rule: Rule,
    pub(super) part: FloatPart,
    /// A package around it, in the bench.
    pub(super) package: PathBuf,
    pub(super) quantized: Quantized,
    pub(super) agreement: Agreement,
    /// Why it could not be run.
    pub(super) failure: Option<String>,
}

impl Rule {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MinMax => "min-max",
            Self::Percentile99999 => "99.999 %",
            Self::Percentile9999 => "99.99 %",
        }
    }

    pub(super) fn ranges(self, observed: &[Observed]) -> Vec<ActivationRange> {
        let range = |one: &Observed| match self {
            Self::MinMax => one.whole,
            Self::Percentile99999 => one.narrower[0],
            Self::Percentile9999 => one.narrower[1],
        };
        observed.iter().map(range).collect()
    }
}

impl Candidate {
    /// How like the float model it is, less what it costs in time. On the pictures of the calibration agreement is nearly
    /// whole for each of them, and the places of boxes tell more.
    fn merit(&self) -> f64 {
        let Quantized { convolutions, in_8_bits } = self.quantized;
        let share = f64::from(convolutions.saturating_sub(in_8_bits)) / f64::from(convolutions.max(1));
        let Agreement { agreement, ap_loss, closeness, .. } = self.agreement;
        (agreement + (1.0 - ap_loss) + closeness) / 3.0 - share * COST_OF_FLOAT
    }
}

/// The candidate with the most merit, of those that could be run.
pub(super) fn best(tried: &[Candidate]) -> Option<&Candidate> {
    let ran = tried.iter().filter(|one| one.failure.is_none() && one.quantized.in_8_bits > 0);
    ran.max_by(|one, other| one.merit().total_cmp(&other.merit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(in_8_bits: u32, agreement: f64) -> Candidate {
        Candidate {
            rule: Rule::MinMax,
            part: PARTS[0],
            package: PathBuf::new(),
            quantized: Quantized { convolutions: 100, in_8_bits },
            agreement: Agreement { agreement, ..Agreement::default() },
            failure: None,
        }
    }

    #[test]
    fn the_best_agrees_most_unless_it_is_hardly_quantised() {
        let best_of = |tried: &[Candidate]| best(tried).map(|best| best.quantized.in_8_bits);
        assert_eq!(best_of(&[candidate(80, 0.99), candidate(100, 0.90)]), Some(80));
        assert_eq!(best_of(&[candidate(20, 0.99), candidate(100, 0.98)]), Some(100));
        let failed = Candidate { failure: Some("canary".into()), ..candidate(100, 1.0) };
        assert_eq!(best_of(&[failed.clone(), candidate(60, 0.5)]), Some(60));
        assert_eq!(best_of(&[failed, candidate(0, 1.0)]), None);
    }
}
