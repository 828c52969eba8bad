//! What the box promises under faults and overload, tried with real units; `make faults` runs it.
//!
//! Prints a table and writes `target/reports/faults.json`. `OCELLI_FAULTS_SHARE=0.1` does a tenth of it, and
//! `OCELLI_FAULTS_ONLY=kills` one part; either writes `faults-partial.json` beside the figures of the last whole run.
//! A bar that is missed is said in the table and fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive numbers")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/footage.rs"]
mod footage;
#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod changes;
mod fairness;
mod kills;
mod load;
mod overload;
mod slow_clients;
mod stops;

use report::Figure;
use std::time::Instant;

/// One line of the table.
fn figure(name: &'static str, value: f64, unit: &'static str, bar: Option<f64>, method: &'static str) -> Figure {
    Figure { name, value, unit, bar, method }
}

/// How much of the whole is done.
fn share() -> f64 {
    std::env::var("OCELLI_FAULTS_SHARE").ok().and_then(|share| share.parse().ok()).unwrap_or(1.0)
}

/// That much of the full count; at least one.
fn share_of(count: usize) -> usize {
    ((count as f64 * share()).round() as usize).max(1)
}

/// A name and what it measures.
type Part = (&'static str, fn(&mut Vec<Figure>));

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let parts: [Part; 7] = [
        ("overload", overload::measure),
        ("fairness", fairness::measure),
        ("slow-clients", slow_clients::measure),
        ("zone", kills::measure_zone),
        ("stops", stops::measure),
        ("changes", changes::measure),
        ("kills", kills::measure_kills),
    ];
    let only = std::env::var("OCELLI_FAULTS_ONLY").ok();
    let mut figures = Vec::new();
    for (name, measure) in parts.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let started = Instant::now();
        println!("{name} ...");
        measure(&mut figures);
        println!("{name}: {:.0} s", started.elapsed().as_secs_f64());
    }
    let is_whole = only.is_none() && share() >= 1.0;
    report::report(if is_whole { "faults" } else { "faults-partial" }, &figures);
}
