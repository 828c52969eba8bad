//! Each model in a unit against ONNX Runtime alone, and what the decoder of each layout takes; `make bench-models` runs
//! it.
//!
//! Models that no registry carries are test data (`OCELLI_TESTDATA`); what is not at hand is left out, and said.
//! Prints two tables and writes `target/reports/models.json`. Machines are noisy: medians and ratios, and a bar that is
//! missed is said in the table and fails nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../harness/engines.rs"]
mod engines;
#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/statistics.rs"]
mod statistics;

mod bare_loop;
mod decoders;
mod scene;
mod units;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "bare-model") {
        return bare_loop::serve(Path::new(&arguments[2]));
    }
    // `cargo test --all-targets` starts benches too; they measure nothing in a debug build.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let decoders = decoders::measure();
    let models = units::measure();
    let report = serde_json::json!({ "models": models, "decoders": decoders });
    let reports = support::root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("models.json"), serde_json::to_string_pretty(&report).unwrap() + "\n").unwrap();
    println!("written: target/reports/models.json");
}
