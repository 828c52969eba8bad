//! Every hot path against its physical limit in the same run; `make bench` runs it.
//!
//! Prints a table and writes `target/reports/bench.json`. Machines are noisy: medians and ratios, no
//! assertion on time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on fails")]

#[path = "../../tests/support/mod.rs"]
mod support;

mod bare_loop;
mod daemon_figures;
mod unit_figures;

use std::io::Write as _;

/// One line of the table.
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// What was promised: at least for ratios, at most for the rest.
    bar: Option<f64>,
    method: &'static str,
}

impl Figure {
    fn is_ok(&self) -> Option<bool> {
        self.bar.map(|bar| if self.unit == "ratio" { self.value >= bar } else { self.value <= bar })
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "bare-loop") {
        return bare_loop::run(arguments[2].parse().unwrap());
    }
    // `cargo test --all-targets` starts benches too; they measure nothing in a debug build.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut figures = Vec::new();
    unit_figures::measure(&mut figures);
    daemon_figures::measure(&mut figures);
    report(&figures);
}

fn report(figures: &[Figure]) {
    println!("{:<42} {:>10} {:<6} {:>8}  ok", "what", "value", "unit", "bar");
    for figure in figures {
        let bar = figure.bar.map_or("-".to_owned(), |bar| bar.to_string());
        let ok = figure.is_ok().map_or("-", |ok| if ok { "yes" } else { "NO" });
        println!("{:<42} {:>10.3} {:<6} {bar:>8}  {ok}", figure.name, figure.value, figure.unit);
    }
    let list: Vec<_> = figures
        .iter()
        .map(|figure| {
            serde_json::json!({
                "name": figure.name, "value": figure.value, "unit": figure.unit, "bar": figure.bar,
                "ok": figure.is_ok(), "method": figure.method,
            })
        })
        .collect();
    let reports = support::root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    let mut file = std::fs::File::create(reports.join("bench.json")).unwrap();
    writeln!(file, "{}", serde_json::to_string_pretty(&list).unwrap()).unwrap();
    println!("written: target/reports/bench.json");
}

/// The middle of the values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
