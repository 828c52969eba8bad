//! The rows of the report: what each attack costs beside what it may cost.

use crate::hostile::cost::Cost;
use crate::support::root;
use serde_json::{Value, json};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The least of its frames that a neighbour must keep.
const NEIGHBOUR: f64 = 0.9;

/// The most that an attack may cost.
#[derive(Clone, Copy)]
pub struct Bars {
    /// What bears it, if it is not the daemon itself.
    pub process: Option<ProcessBars>,
    pub daemon_mib: f64,
    pub daemon_cores: f64,
    /// Of log, in up to twenty seconds: what happens again and again is counted.
    pub lines: f64,
}

#[derive(Clone, Copy)]
pub struct ProcessBars {
    /// As the report calls it.
    pub name: &'static str,
    pub memory_mib: f64,
    pub cores: f64,
    pub threads: f64,
}

/// One after the other: what an attack costs is measured while there is no other.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn is_whole() -> bool {
    std::env::var("OCELLI_SAFETY").is_ok_and(|what| what == "whole")
}

/// All attacks of a kind in the whole form, some in the short one, or those that are named.
pub fn chosen(all: &[&'static str], some: &[&'static str]) -> Vec<&'static str> {
    let named = std::env::var("OCELLI_HOSTILE").unwrap_or_default();
    let is_named = |mode: &&str| named.split(',').any(|name| name == *mode);
    match (named.is_empty(), is_whole()) {
        (true, true) => all.to_vec(),
        (true, false) => some.to_vec(),
        (false, _) => all.iter().copied().filter(is_named).collect(),
    }
}

/// A value with the most, or of a ratio the least, that it may be.
pub fn row(name: &str, value: f64, unit: &str, bar: f64, method: &str) -> Value {
    let ok = if unit == "ratio" { value >= bar } else { value <= bar };
    let row = json!({ "name": name, "value": value, "unit": unit, "bar": bar, "ok": ok, "method": method });
    println!("{name:<56} {value:>9.2} {unit:<8} {bar:>8.1} {}", if ok { "yes" } else { "NO" });
    row
}

pub fn rows(mode: &str, cost: Cost, bars: Bars) -> Vec<Value> {
    let of = |what: &str| format!("{mode}: {what}");
    let mut rows = Vec::new();
    if let Some(bars) = bars.process {
        let of = |what: &str| format!("{mode}: {what} of {}", bars.name);
        rows.extend([
            row(
                &of("memory"),
                cost.memory_mib,
                "MiB",
                bars.memory_mib,
                "the largest VmHWM of its processes, each 20 ms",
            ),
            row(&of("cores"), cost.cores, "cores", bars.cores, "user and system time of its processes"),
            row(&of("threads"), cost.threads, "threads", bars.threads, "the most of one of its processes, each 20 ms"),
        ]);
    }
    let lines = f64::from(u32::try_from(cost.lines).unwrap());
    rows.extend([
        row(&of("memory of the daemon"), cost.daemon_mib, "MiB", bars.daemon_mib, "VmRSS at most, less that before"),
        row(
            &of("cores of the daemon"),
            cost.daemon_cores,
            "cores",
            bars.daemon_cores,
            "user and system time of the daemon",
        ),
        row(&of("lines of log"), lines, "lines", bars.lines, "in the daemon's log at `info`"),
        row(
            &of("frames of its neighbour"),
            cost.neighbour,
            "ratio",
            NEIGHBOUR,
            "decoded, of the ten a second that it sends",
        ),
    ]);
    rows
}

/// Puts the rows of a kind into the report, in a whole run, and fails if a bar is missed.
pub fn judge(kind: &str, rows: &[Value]) {
    if is_whole() {
        let directory = root().join("target/reports");
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("hostile.json");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut all: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
        all.retain(|row| row["kind"] != kind && row["kind"].is_string());
        all.extend(rows.iter().cloned().map(|mut row| {
            row["kind"] = kind.into();
            row
        }));
        fs::write(file, serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
    }
    let missed: Vec<&Value> = rows.iter().filter(|row| row["ok"] != true).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
