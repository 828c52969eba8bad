//! The long tests do a part of their work in every run, and all of it in `make crash`, which stores a report.

use std::path::Path;

fn is_whole() -> bool {
    std::env::var_os("OCELLI_CRASH").is_some_and(|value| value == "whole")
}

/// The step between tested cases: `one_of`, or 1 in a whole run.
pub(super) fn share(one_of: usize) -> usize {
    if is_whole() { 1 } else { one_of }
}

/// The number of threads.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// A progress bar, hidden except in a whole run.
pub(super) fn progress(what: &'static str, length: usize) -> indicatif::ProgressBar {
    if !is_whole() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{prefix:>12} {bar:40} {pos}/{len}, {eta} left").unwrap();
    indicatif::ProgressBar::new(length as u64).with_style(style).with_prefix(what)
}

/// Prints the results, and in a whole run writes them to `target/reports/<name>.json`.
pub(super) fn report(name: &str, found: &serde_json::Value) {
    let text = serde_json::to_string_pretty(found).unwrap();
    println!("{name}: {text}");
    if is_whole() {
        let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/reports");
        std::fs::create_dir_all(&reports).unwrap();
        std::fs::write(reports.join(format!("{name}.json")), text + "\n").unwrap();
    }
}
