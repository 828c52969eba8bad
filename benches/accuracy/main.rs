//! Whether models see through ocelli what they see through their own code: average precision on 47 pictures of COCO,
//! the default detector in 8 bits and in other layouts, the top label of classifiers, and how well the tracker follows what two
//! detectors see in whole clips. `make accuracy` runs it, `OCELLI_ACCURACY_ONLY=tracking make accuracy` a part of it.
//!
//! The pictures and the models that no registry carries are test data (`OCELLI_TESTDATA`), as are the reference
//! figures, which pycocotools gave for decoders in Python.
//! Prints a table, writes `target/reports/accuracy.json` (of a part `accuracy-partial.json`), and fails when a figure is off its
//! reference. A missed bar of the tracker fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

mod byte_track;
mod classifiers;
mod clip;
mod detectors;
mod layouts;
mod quantized;
mod tracking;
mod truth;

use std::process::ExitCode;

/// A figure and what it must be.
#[derive(Debug, serde::Serialize)]
struct Checked {
    name: String,
    what: &'static str,
    value: f64,
    /// Of the reference; none, without a bar: `value` must be 1.
    reference: Option<f64>,
    /// The least that `value` should be.
    bar: Option<f64>,
    ok: bool,
    /// True if a figure that is not ok fails the command.
    #[serde(skip)]
    fails: bool,
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let Some(pictures) = support::package::from_testdata("coco_cc") else { return ExitCode::FAILURE };
    let only = std::env::var("OCELLI_ACCURACY_ONLY").ok();
    let parts: [(&str, &dyn Fn() -> Vec<Checked>); 5] = [
        ("detectors", &|| detectors::check(&pictures)),
        ("quantized", &|| quantized::check(&pictures)),
        ("layouts", &|| layouts::check(&pictures)),
        ("classifiers", &|| classifiers::check(&pictures)),
        ("tracking", &tracking::check),
    ];
    println!("{:<28} {:<34} {:>8} {:>10}  ok", "model", "what", "value", "reference");
    let asked = parts.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name));
    let checked: Vec<Checked> = asked.flat_map(|(_, check)| check()).collect();
    let file = if only.is_some() { "accuracy-partial.json" } else { "accuracy.json" };
    let reports = support::root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join(file), serde_json::to_string_pretty(&checked).unwrap() + "\n").unwrap();
    let wrong = checked.iter().filter(|checked| checked.fails).count();
    let missed = checked.iter().filter(|checked| !checked.ok && !checked.fails).count();
    println!("{} figures, {wrong} off, {missed} below their bar; written: target/reports/{file}", checked.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Checked {
    /// Prints a line of the table as soon as it is known.
    fn new(name: &str, what: &'static str, value: f64, reference: Option<f64>, ok: bool) -> Self {
        let shown = reference.map_or("-".to_owned(), |reference| format!("{reference:.3}"));
        println!("{name:<28} {what:<34} {value:>8.4} {shown:>10}  {}", if ok { "yes" } else { "NO" });
        Self { name: name.to_owned(), what, value, reference, bar: None, ok, fails: !ok }
    }

    /// A figure that should be at least its bar, if it has one.
    fn with_bar(name: &str, what: &'static str, value: f64, bar: Option<f64>) -> Self {
        let ok = bar.is_none_or(|bar| value >= bar);
        Self { reference: None, bar, fails: false, ..Self::new(name, what, value, bar, ok) }
    }
}
