//! Whether models see through ocelli what they see through their own code: average precision on 47 pictures of COCO,
//! the default detector in 8 bits and in other layouts, the top label of classifiers. `make accuracy` runs it.
//!
//! The pictures and the models that no registry carries are test data (`OCELLI_TESTDATA`), as are the reference
//! figures, which pycocotools gave for decoders in Python.
//! Prints a table, writes `target/reports/accuracy.json`, and fails when a figure is off.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

mod classifiers;
mod detectors;
mod layouts;
mod quantized;

use std::process::ExitCode;

/// A figure and what it must be.
#[derive(Debug, serde::Serialize)]
struct Checked {
    name: String,
    what: &'static str,
    value: f64,
    /// Of the reference; none: `value` must be 1.
    reference: Option<f64>,
    ok: bool,
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let Some(pictures) = support::package::from_testdata("coco_cc") else { return ExitCode::FAILURE };
    let mut checked = Vec::new();
    println!("{:<28} {:<34} {:>8} {:>10}  ok", "model", "what", "value", "reference");
    let all = [
        detectors::check(&pictures),
        quantized::check(&pictures),
        layouts::check(&pictures),
        classifiers::check(&pictures),
    ];
    for of_some in all {
        checked.extend(of_some);
    }
    let reports = support::root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("accuracy.json"), serde_json::to_string_pretty(&checked).unwrap() + "\n").unwrap();
    let wrong = checked.iter().filter(|checked| !checked.ok).count();
    println!("{} figures, {wrong} off; written: target/reports/accuracy.json", checked.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Checked {
    /// Prints a line of the table as soon as it is known.
    fn new(name: &str, what: &'static str, value: f64, reference: Option<f64>, ok: bool) -> Self {
        let shown = reference.map_or("-".to_owned(), |reference| format!("{reference:.3}"));
        println!("{name:<28} {what:<34} {value:>8.4} {shown:>10}  {}", if ok { "yes" } else { "NO" });
        Self { name: name.to_owned(), what, value, reference, ok }
    }
}
