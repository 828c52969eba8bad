//! The report of a run: JSON for machines, the table of `docs/cameras.md` for people.

use super::case::{Case, Seen, Wanted};
use crate::quirks::drive::Outcome;
use crate::quirks::rows::Expected;
use crate::support::root;

/// One case of the report.
#[derive(Debug)]
pub struct Line {
    /// Short, for the terminal.
    pub key: String,
    pub name: String,
    value: f64,
    unit: &'static str,
    bar: f64,
    /// What is wrong; empty: nothing.
    pub faults: Vec<String>,
    /// What was reported.
    pub reported: String,
    method: String,
}

impl Line {
    /// Of a quirk.
    pub fn of_quirk(outcome: Outcome) -> Self {
        let Outcome { row, share, faults, reported } = outcome;
        let right = if faults.is_empty() { 1.0 } else { 0.0 };
        let (value, unit, bar) = match row.expected {
            Expected::Streams(least) => (share, "share of pictures decoded", least),
            Expected::Lost(..) => (right, "right reason", 1.0),
        };
        let key = row.quirk.path();
        let method = format!("raw RTSP server, path /{key}, watched {} s", row.seconds);
        Self { key, name: row.name.into(), value, unit, bar, faults, reported: without_port(&reported), method }
    }

    /// Of a camera that others wrote.
    pub fn of_case(case: &Case, seen: &Seen) -> Self {
        let faults = case.faults(seen);
        let right = if faults.is_empty() { 1.0 } else { 0.0 };
        let (value, unit, bar) = match case.wanted {
            Wanted::Pictures { least, .. } => (seen.looked_at() as f64, "pictures decoded", least as f64),
            Wanted::Lost(..) => (right, "right reason", 1.0),
        };
        let (name, reported) = (format!("{}: {}", case.server, case.name), without_port(&case.reported(seen)));
        let method = format!("{}, until so many pictures were decoded", case.server);
        Self { key: case.server.into(), name, value, unit, bar, faults, reported, method }
    }

    /// One row of the table.
    fn row(&self) -> String {
        let does = match (self.faults.is_empty(), self.unit) {
            (false, _) => format!("not supported yet: {}", self.faults.join("; ")),
            (true, "right reason") => format!("says \"{}\"", self.reported),
            (true, _) => self.reported.clone(),
        };
        format!("| {} | {does} |\n", self.name)
    }
}

/// Hides the port of this run, so that the table is the same after each.
fn without_port(text: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut parts = text.split(HOST);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, part| {
        format!("{before}{HOST}PORT{}", part.trim_start_matches(|it: char| it.is_ascii_digit()))
    })
}

/// Writes `target/reports/cameras.json`, a line a row.
pub fn write_report(lines: &[Line]) {
    let list: Vec<_> = lines
        .iter()
        .map(|line| {
            let is_ok = line.faults.is_empty();
            let came = if is_ok { line.reported.clone() } else { line.faults.join("; ") };
            serde_json::json!({
                "name": line.name, "value": line.value, "unit": line.unit, "bar": line.bar, "ok": is_ok,
                "method": format!("{}; {came}", line.method),
            })
        })
        .collect();
    let reports = root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("cameras.json"), serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
    println!("written: target/reports/cameras.json");
}

/// Replaces the table in `docs/cameras.md`.
pub fn write_table(lines: &[Line]) {
    const BEGIN: &str = "<!-- written by `OCELLI_WRITE_TABLE=1 make cameras` -->\n";
    let file = root().join("docs/cameras.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once(BEGIN).expect("the table's place in docs/cameras.md");
    let rows: String = lines.iter().map(Line::row).collect();
    let head = "| What the camera does | What ocelli does |\n| --- | --- |\n";
    std::fs::write(file, format!("{before}{BEGIN}{head}{rows}")).unwrap();
}
