//! What the outbox promises, tried over thousands of events and dozens of faults, and what it costs; `make delivery`.
//!
//! Prints a table and writes `target/reports/delivery.json`; ends with 1 when an event is missing, comes out of order
//! or has another content the second time. `OCELLI_DELIVERY_EVENTS=10000` does a shorter drive, and
//! `OCELLI_DELIVERY_SEED=7` one with other faults; either writes `delivery-partial.json` instead.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;
#[path = "../harness/written.rs"]
mod written;

mod bare_client;
mod cost;
mod drive;
mod event_daemon;
mod faults;
mod stored;
mod verdict;
mod witness;

use report::Figure;
use std::process::ExitCode;

/// The whole drive, and the faults that it has at least.
const EVENTS: usize = 100_000;
const FAULTS: usize = 50;
const SEED: u64 = 1;

/// One line of the table.
fn figure(name: &'static str, value: f64, unit: &'static str, bar: Option<f64>, method: &'static str) -> Figure {
    Figure { name, value, unit, bar, method }
}

fn number<T: std::str::FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` starts benches too; they measure nothing in a debug build.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let (events, seed) = (number("OCELLI_DELIVERY_EVENTS", EVENTS), number("OCELLI_DELIVERY_SEED", SEED));
    let mut figures = Vec::new();
    cost::measure(&mut figures);
    let verdict = drive::drive(events, seed);
    verdict.tell(&mut figures);
    let is_whole = events >= EVENTS && seed == SEED;
    report::report(if is_whole { "delivery" } else { "delivery-partial" }, &figures);
    ExitCode::from(u8::from(!verdict.is_kept()))
}
