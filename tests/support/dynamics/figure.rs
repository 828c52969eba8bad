//! The figures of a run: a table for people, and of a whole run JSON for machines.

use super::extent::Extent;
use crate::support::root;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// One line: a value that may be at most its bar.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub bar: f64,
    pub method: String,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str, bar: f64, method: impl Into<String>) -> Self {
        Self { name: name.into(), value, unit, bar, method: method.into() }
    }

    fn is_ok(&self) -> bool {
        self.value <= self.bar
    }
}

/// Prints the figures of a part, adds them to the report of a whole run, and fails where a bar was missed.
pub fn judge(part: &'static str, extent: &Extent, figures: Vec<Figure>) {
    for figure in &figures {
        let Figure { name, value, unit, bar, .. } = figure;
        let ok = if figure.is_ok() { "yes" } else { "NO" };
        println!("{name:<72} {value:>10.2} {unit:<8} at most {bar:>8.2}  {ok}");
    }
    let missed: Vec<String> = figures
        .iter()
        .filter(|figure| !figure.is_ok())
        .map(|figure| format!("{}: {:.2} {}, not {}", figure.name, figure.value, figure.unit, figure.bar))
        .collect();
    if extent.is_whole {
        write(part, figures);
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Parts end at different times, and each of them writes all that there is.
fn write(part: &'static str, figures: Vec<Figure>) {
    static PARTS: Mutex<BTreeMap<&str, Vec<Figure>>> = Mutex::new(BTreeMap::new());
    let mut parts = PARTS.lock().unwrap();
    parts.insert(part, figures);
    let list: Vec<_> = parts
        .values()
        .flatten()
        .map(|figure| {
            serde_json::json!({
                "name": figure.name, "value": figure.value, "unit": figure.unit, "bar": figure.bar,
                "ok": figure.is_ok(), "method": figure.method,
            })
        })
        .collect();
    let reports = root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("camera-dynamics.json"), serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
    println!("written: target/reports/camera-dynamics.json");
}
