//! What a camera costs before which nothing moves, and what cameras get that all see something; `make idle` runs it.
//!
//! Prints a table and writes `target/reports/idle.json`. `OCELLI_IDLE_ONLY=one` does one part, and `OCELLI_IDLE_SHARE=0.3`
//! measures for less time; either writes `idle-partial.json`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/bare_loop.rs"]
mod bare_loop;
#[path = "../harness/busy_clip.rs"]
mod busy_clip;
#[path = "../harness/plain.rs"]
mod plain;
#[path = "../harness/processor.rs"]
mod processor;
#[path = "../harness/report.rs"]
mod report;

mod busy;
mod clips;
mod events;
mod one;
mod site;

use report::Figure;

/// So many seconds of a whole run, in this run.
fn seconds(of_whole: f64) -> f64 {
    let share = std::env::var("OCELLI_IDLE_SHARE").ok().and_then(|share| share.parse().ok());
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
    match arguments.get(1).map(String::as_str) {
        Some("bare-loop") => return bare_loop::run(arguments[2].parse().unwrap()),
        Some("paced-decoder") => return busy::decode_at(arguments[2].parse().unwrap()),
        _ => {}
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let parts: [Part; 3] = [("one", one::measure), ("busy", busy::measure), ("site", site::measure)];
    let only = std::env::var("OCELLI_IDLE_ONLY").ok();
    let mut figures = Vec::new();
    for (name, measure) in parts {
        if only.as_ref().is_none_or(|only| only == name) {
            measure(&mut figures);
        }
    }
    let is_whole = only.is_none() && seconds(1.0) >= 1.0;
    report::report(if is_whole { "idle" } else { "idle-partial" }, &figures);
}
