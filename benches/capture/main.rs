//! What receiving and decoding loses and costs, against plain GStreamer beside it; `make capture` runs it.
//!
//! Prints a table and writes `target/reports/capture.json`. `OCELLI_CAPTURE_ONLY=cost` does one part, and
//! `OCELLI_CAPTURE_SHARE=0.3` measures for less time; either writes `capture-partial.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/busy_clip.rs"]
mod busy_clip;
#[path = "../harness/plain.rs"]
mod plain;
#[path = "../harness/processor.rs"]
mod processor;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod cost;
mod loss;

use report::Figure;

/// So many seconds of a whole run, in this run.
fn seconds(of_whole: f64) -> f64 {
    let share = std::env::var("OCELLI_CAPTURE_SHARE").ok().and_then(|share| share.parse().ok());
    of_whole * share.unwrap_or(1.0)
}

/// A name and what it measures.
type Part = (&'static str, fn(&mut Vec<Figure>));

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, plain, mode, codec, url] = &arguments[..]
        && plain == "--plain"
    {
        return plain::serve(mode, codec, url);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let parts: [Part; 2] = [("loss", loss::measure), ("cost", cost::measure)];
    let only = std::env::var("OCELLI_CAPTURE_ONLY").ok();
    let mut figures = Vec::new();
    for (name, measure) in parts {
        if only.as_ref().is_none_or(|only| only == name) {
            measure(&mut figures);
        }
    }
    let is_whole = only.is_none() && seconds(1.0) >= 1.0;
    report::report(if is_whole { "capture" } else { "capture-partial" }, &figures);
}
