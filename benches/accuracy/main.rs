//! Whether models see through ocelli what they see through their own code: average precision on 47 pictures of COCO with
//! other ways of resizing, the default detector in 8 bits and in other layouts, exports of model families, the top label of
//! classifiers, how well the tracker follows what two detectors see in whole clips, and what begins where nothing happens. `make accuracy` runs it,
//! `OCELLI_ACCURACY_ONLY=tracking make accuracy` a part of it.
//!
//! The pictures and the models that no registry carries are test data (`OCELLI_TESTDATA`), as are the reference
//! figures, which pycocotools gave for decoders in Python.
//! Prints a table, writes `target/reports/accuracy.json` (of a part `accuracy-partial.json`), and fails when a figure is off its
//! reference. A missed bar of the tracker fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a check that cannot go on fails")]

#[path = "../harness/random.rs"]
mod random;
#[path = "../../tests/support/mod.rs"]
mod support;

mod bootstrap;
mod byte_track;
mod classifiers;
mod clip;
mod detectors;
mod exports;
mod layouts;
mod quantized;
mod resizing;
mod still;
mod tracking;
mod truth;

use std::process::ExitCode;

/// A figure and what it must be.
#[derive(Debug, serde::Serialize)]
struct Checked {
    name: String,
    what: String,
    value: f64,
    /// Between which the figure is by chance, with 95 %.
    interval: Option<[f64; 2]>,
    /// Of the reference; none, without a bar: `value` must be 1.
    reference: Option<f64>,
    /// The least that `value` should be; of `interval`, what its lower end should not exceed.
    bar: Option<f64>,
    /// What the program says: the layout that it recognises, or its refusal.
    said: Option<String>,
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
    let parts: [(&str, &dyn Fn() -> Vec<Checked>); 8] = [
        ("detectors", &|| detectors::check(&pictures)),
        ("resizing", &|| resizing::check(&pictures)),
        ("quantized", &|| quantized::check(&pictures)),
        ("layouts", &|| layouts::check(&pictures)),
        ("exports", &exports::check),
        ("classifiers", &|| classifiers::check(&pictures)),
        ("tracking", &tracking::check),
        ("still", &still::check),
    ];
    println!("{:<42} {:<44} {:>8} {:>10}  ok   by chance, 95 %", "model", "what", "value", "reference");
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
    fn new(name: &str, what: impl Into<String>, value: f64, reference: Option<f64>, ok: bool) -> Self {
        let mut checked = Self { name: name.to_owned(), what: what.into(), value, ..Self::unknown() };
        (checked.reference, checked.ok, checked.fails) = (reference, ok, !ok);
        checked.printed(reference)
    }

    /// The same, with the interval in which it is by chance.
    fn within(name: &str, what: &str, value: f64, interval: [f64; 2], reference: Option<f64>, ok: bool) -> Self {
        let mut checked = Self { name: name.to_owned(), what: what.to_owned(), value, ..Self::unknown() };
        (checked.interval, checked.reference, checked.ok, checked.fails) = (Some(interval), reference, ok, !ok);
        checked.printed(reference)
    }

    /// A figure that should be at least its bar, if it has one.
    fn with_bar(name: &str, what: &str, value: f64, bar: Option<f64>) -> Self {
        let mut checked = Self { name: name.to_owned(), what: what.to_owned(), value, bar, ..Self::unknown() };
        checked.ok = bar.is_none_or(|bar| value >= bar);
        checked.printed(bar)
    }

    /// A difference that should not be above 0 by more than chance.
    fn no_more_than_chance(name: &str, what: String, value: f64, interval: [f64; 2]) -> Self {
        let mut checked = Self { name: name.to_owned(), what, value, bar: Some(0.0), ..Self::unknown() };
        (checked.interval, checked.ok) = (Some(interval), interval[0] <= 0.0);
        checked.printed(Some(0.0))
    }

    /// A share that must be 1, with what the program has said.
    fn whole(name: &str, what: &str, value: f64, said: String) -> Self {
        let mut checked =
            Self { name: name.to_owned(), what: what.to_owned(), value, said: Some(said), ..Self::unknown() };
        (checked.bar, checked.ok) = (Some(1.0), value >= 1.0);
        checked.fails = !checked.ok;
        checked.printed(Some(1.0))
    }

    fn unknown() -> Self {
        let (name, what) = (String::new(), String::new());
        Self { name, what, value: 0.0, interval: None, reference: None, bar: None, said: None, ok: true, fails: false }
    }

    fn printed(self, beside: Option<f64>) -> Self {
        let beside = beside.map_or("-".to_owned(), |beside| format!("{beside:.3}"));
        let ok = if self.ok { "yes" } else { "NO" };
        let between = self.interval.map(|[low, high]| format!("  {low:.4} to {high:.4}")).unwrap_or_default();
        println!("{:<42} {:<44} {:>8.4} {beside:>10}  {ok:<3}{between}", self.name, self.what, self.value);
        self.said.iter().flat_map(|said| said.lines()).for_each(|line| println!("    {line}"));
        self
    }
}
