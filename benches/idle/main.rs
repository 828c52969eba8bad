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
#[path = "../harness/clock.rs"]
mod clock;
#[path = "../harness/memory.rs"]
mod memory;
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
#[path = "../harness/written.rs"]
mod written;

mod busy;
mod clips;
mod events;
mod hour;
mod one;
mod recall;
mod site;

/// So many seconds of a whole run, in this run.
fn seconds(of_whole: f64) -> f64 {
    parts::seconds("idle", of_whole)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, plain, mode, codec, url] = &arguments[..]
        && plain == "--plain"
    {
        return plain::serve(mode, codec, url);
    }
    match arguments.get(1).map(String::as_str) {
        Some("bare-loop") => return bare_loop::run(&arguments[2..]),
        Some("paced-decoder") => return busy::decode_at(arguments[2].parse().unwrap()),
        _ => {}
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    parts::measure(
        "idle",
        &[
            ("one", one::measure),
            ("busy", busy::measure),
            ("site", site::measure),
            ("site-1080p", site::measure_full_hd),
            ("hour", hour::measure),
            ("recall", recall::measure),
        ],
    );
}
