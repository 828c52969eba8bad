//! Every hot path against its physical limit in the same run; `make bench` runs it.
//!
//! Prints a table and writes `target/reports/bench.json`. Machines are noisy: medians and ratios, and a bar that is
//! missed is said in the table and fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/bare_loop.rs"]
mod bare_loop;
#[path = "../harness/engines.rs"]
mod engines;
#[path = "../harness/footage.rs"]
mod footage;
#[path = "../harness/processor.rs"]
mod processor;
#[path = "../harness/report.rs"]
mod report;
#[path = "../harness/statistics.rs"]
mod statistics;

mod api_figures;
mod chosen_engine;
mod daemon_figures;
mod unit_figures;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "bare-loop") {
        return bare_loop::run(&arguments[2..]);
    }
    if arguments.get(1).is_some_and(|first| first == "bare-image-loop") {
        return api_figures::bare_image_loop(&arguments[2..]);
    }
    if arguments.get(1).is_some_and(|first| first == "bare-echo") {
        return unit_figures::echo();
    }
    // `cargo test --all-targets` starts benches too; they measure nothing in a debug build.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut figures = Vec::new();
    let only = std::env::var("OCELLI_BENCH_ONLY").unwrap_or_default();
    if only != "engine" {
        unit_figures::measure(&mut figures);
        daemon_figures::measure(&mut figures);
        api_figures::measure(&mut figures);
    }
    chosen_engine::measure(&mut figures);
    report::report("bench", &figures);
}
