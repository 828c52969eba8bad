//! A table for people and the same as JSON for machines.

use crate::support;
use std::io::Write as _;

/// One line of the table.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What was promised: at least for ratios, at most for the rest.
    pub(crate) bar: Option<f64>,
    pub(crate) method: &'static str,
}

impl Figure {
    pub(crate) fn is_ok(&self) -> Option<bool> {
        self.bar.map(|bar| if self.unit == "ratio" { self.value >= bar } else { self.value <= bar })
    }
}

/// Prints the table and writes `target/reports/<name>.json`.
pub(crate) fn report(name: &str, figures: &[Figure]) {
    println!("{:<56} {:>10} {:<6} {:>8}  ok", "what", "value", "unit", "bar");
    for figure in figures {
        let bar = figure.bar.map_or("-".to_owned(), |bar| bar.to_string());
        let ok = figure.is_ok().map_or("-", |ok| if ok { "yes" } else { "NO" });
        println!("{:<56} {:>10.3} {:<6} {bar:>8}  {ok}", figure.name, figure.value, figure.unit);
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
    let mut file = std::fs::File::create(reports.join(format!("{name}.json"))).unwrap();
    writeln!(file, "{}", serde_json::to_string_pretty(&list).unwrap()).unwrap();
    println!("written: target/reports/{name}.json");
}
