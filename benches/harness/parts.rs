//! A bench of several parts: for the bench `idle`, `OCELLI_IDLE_ONLY=one` does one of them, and `OCELLI_IDLE_SHARE=0.3` measures
//! for less time. Either writes `idle-partial.json`.

use crate::report::{self, Figure};

/// A name and what it measures.
pub(crate) type Part = (&'static str, fn(&mut Vec<Figure>));

/// So many seconds of a whole run, in this run of the bench.
pub(crate) fn seconds(bench: &str, of_whole: f64) -> f64 {
    of_whole * variable(bench, "SHARE").and_then(|share| share.parse().ok()).unwrap_or(1.0)
}

/// Measures and reports, and returns what was measured.
pub(crate) fn measure(bench: &str, parts: &[Part]) -> Vec<Figure> {
    let only = variable(bench, "ONLY");
    let mut figures = Vec::new();
    for (_, measure) in parts.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        measure(&mut figures);
    }
    let is_whole = only.is_none() && seconds(bench, 1.0) >= 1.0;
    report::report(&if is_whole { bench.to_owned() } else { format!("{bench}-partial") }, &figures);
    figures
}

fn variable(bench: &str, name: &str) -> Option<String> {
    std::env::var(format!("OCELLI_{}_{name}", bench.to_uppercase())).ok()
}
