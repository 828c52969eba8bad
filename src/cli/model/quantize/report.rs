//! What was tried and how the best did, for people and as JSON; and the verdict.

use crate::cli::model::quantize::candidates::Candidate;
use crate::evaluation::agreement::Agreement;
use crate::ipc::quantize_messages::{FloatPart, Quantized};
use serde_json::{Value, json};

/// Fewer boxes say nothing about a model.
const LEAST_BOXES: usize = 20;

/// What a twin must reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bars {
    pub(super) most_ap_loss: f64,
    pub(super) least_agreement: f64,
}

/// All figures of a run.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Pictures of the calibration.
    pub(super) calibration: usize,
    pub(super) tried: &'a [Candidate],
    pub(super) best: &'a Candidate,
    /// On pictures that were not used for the calibration.
    pub(super) judged: Agreement,
}

impl Report<'_> {
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{} {}: calibrated with {} pictures, judged on {} others",
                self.name, self.version, self.calibration, self.judged.pictures
            ),
            format!(
                "{:<10} {:<16} {:>9} {:>9} {:>8} {:>9}",
                "RANGES", "IN 32 BITS", "8 BITS", "AGREEMENT", "AP LOSS", "CLOSENESS"
            ),
        ];
        for one in self.tried {
            let Quantized { convolutions, in_8_bits } = one.quantized;
            let figures = match &one.failure {
                Some(why) => format!("cannot run: {why}"),
                None => format!(
                    "{:>9.3} {:>8.3} {:>9.3}",
                    one.agreement.agreement, one.agreement.ap_loss, one.agreement.closeness
                ),
            };
            let mark = if one.package == self.best.package { "  best" } else { "" };
            let count = format!("{in_8_bits}/{convolutions}");
            lines.push(format!("{:<10} {:<16} {count:>9} {figures}{mark}", one.rule.name(), in_words(one.part)));
        }
        let Agreement { boxes, agreement, ap_loss, .. } = self.judged;
        lines.push(format!("On the other pictures: agreement {agreement:.3} of {boxes} boxes, AP loss {ap_loss:.3}."));
        lines.join("\n")
    }

    pub(super) fn json(&self, bars: Bars) -> Value {
        let tried: Vec<Value> = self.tried.iter().map(of_candidate).collect();
        json!({
            "model": self.name, "version": self.version, "calibration_pictures": self.calibration, "tried": tried,
            "best": of_candidate(self.best), "judged": self.judged,
            "least_agreement": bars.least_agreement, "most_ap_loss": bars.most_ap_loss,
            "passed": self.verdict(bars).is_ok(),
        })
    }

    /// Whether it may be installed.
    pub(super) fn verdict(&self, bars: Bars) -> Result<(), String> {
        let Bars { most_ap_loss, least_agreement } = bars;
        let Agreement { boxes, agreement, ap_loss, .. } = self.judged;
        if boxes < LEAST_BOXES {
            return Err(format!(
                "{} is not quantised: there are {boxes} boxes in the pictures that judge, and fewer than {LEAST_BOXES} say \
                 nothing; give more pictures, with what it detects",
                self.name
            ));
        }
        if agreement >= least_agreement && ap_loss <= most_ap_loss {
            return Ok(());
        }
        Err(format!(
            "{} is not quantised, and stays as it is: agreement {agreement:.3} (at least {least_agreement}), AP loss {ap_loss:.3} \
             (at most {most_ap_loss}); more pictures may help, or --least-agreement and --most-ap-loss",
            self.name
        ))
    }
}

fn in_words(part: FloatPart) -> &'static str {
    match (part.is_first, part.is_last) {
        (true, true) => "first and last",
        (true, false) => "first",
        (false, true) => "last",
        (false, false) => "none",
    }
}

fn of_candidate(one: &Candidate) -> Value {
    json!({
        "ranges": one.rule, "float": one.part, "convolutions": one.quantized.convolutions,
        "in_8_bits": one.quantized.in_8_bits, "agreement": one.agreement.agreement, "ap_loss": one.agreement.ap_loss, "closeness": one.agreement.closeness,
        "failure": one.failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::model::quantize::candidates::{PARTS, Rule};

    #[test]
    fn only_what_is_above_both_bars_and_rests_on_enough_boxes_passes() {
        let best = Candidate {
            rule: Rule::MinMax,
            part: PARTS[0],
            package: "p".into(),
            quantized: Quantized { convolutions: 88, in_8_bits: 71 },
            agreement: Agreement::default(),
            failure: None,
        };
        let verdict = |boxes, agreement, ap_loss| {
            let judged = Agreement { pictures: 20, boxes, agreement, ap_loss, closeness: 0.9 };
            let report = Report { name: "m", version: "1", calibration: 20, tried: &[], best: &best, judged };
            report.verdict(Bars { most_ap_loss: 0.01, least_agreement: 0.97 })
        };
        assert_eq!(verdict(100, 0.98, 0.005), Ok(()));
        assert!(verdict(100, 0.96, 0.005).unwrap_err().contains("agreement 0.960 (at least 0.97)"));
        assert!(verdict(100, 0.98, 0.02).unwrap_err().contains("AP loss 0.020 (at most 0.01)"));
        assert!(verdict(19, 1.0, 0.0).unwrap_err().contains("19 boxes"));
        assert_eq!((in_words(PARTS[0]), in_words(PARTS[2])), ("first and last", "none"));
    }
}
