//! What receiving and decoding loses and costs, against plain GStreamer beside it; `make capture` runs it.
//!
//! Prints a table and writes `target/reports/capture.json`. `OCELLI_CAPTURE_ONLY=cost` does one part, and
//! `OCELLI_CAPTURE_SHARE=0.3` measures for less time; either writes `capture-partial.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/busy_clip.rs"]
mod busy_clip;
#[path = "../harness/clock.rs"]
mod clock;
#[path = "../harness/parts.rs"]
mod parts;
#[path = "../harness/plain.rs"]
mod plain;
#[path = "../harness/processor.rs"]
mod processor;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod cost;
mod latency;
mod loss;

/// So many seconds of a whole run, in this run.
fn seconds(of_whole: f64) -> f64 {
    parts::seconds("capture", of_whole)
}

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
    parts::measure("capture", &[("loss", loss::measure), ("cost", cost::measure), ("latency", latency::measure)]);
}
