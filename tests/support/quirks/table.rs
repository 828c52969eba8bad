//! The report of a run: JSON for machines, the table of `docs/cameras.md` for people.

use super::drive::Outcome;
use super::rows::Expected;
use crate::support::root;

/// Writes `target/reports/cameras.json`, a line a row.
pub fn write_report(outcomes: &[Outcome]) {
    let list: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let (value, unit, bar) = match outcome.row.expected {
                Expected::Streams(share) => (outcome.share, "share of pictures decoded", share),
                Expected::Lost(..) => (if outcome.faults.is_empty() { 1.0 } else { 0.0 }, "right reason", 1.0),
            };
            serde_json::json!({
                "name": outcome.row.name, "value": value, "unit": unit, "bar": bar, "ok": outcome.faults.is_empty(),
                "method": format!(
                    "raw RTSP server, path /{}, watched {} s; {}", outcome.row.quirk.path(), outcome.row.seconds,
                    if outcome.faults.is_empty() { outcome.reported.clone() } else { outcome.faults.join("; ") },
                ),
            })
        })
        .collect();
    let reports = root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join("cameras.json"), serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
    println!("written: target/reports/cameras.json");
}

/// Replaces the table in `docs/cameras.md`.
pub fn write_table(outcomes: &[Outcome]) {
    const BEGIN: &str = "<!-- written by `OCELLI_WRITE_TABLE=1 make cameras` -->\n";
    let file = root().join("docs/cameras.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once(BEGIN).expect("the table's place in docs/cameras.md");
    let mut table = String::from("| What the camera does | What ocelli does |\n| --- | --- |\n");
    for outcome in outcomes {
        let does = match (outcome.row.expected, outcome.faults.is_empty()) {
            (_, false) => format!("not supported yet: {}", outcome.faults.join("; ")),
            (Expected::Streams(_), true) => "streams".into(),
            (Expected::Lost(..), true) => format!("says \"{}\"", outcome.reported),
        };
        table += &format!("| {} | {does} |\n", outcome.row.name);
    }
    std::fs::write(file, format!("{before}{BEGIN}{table}")).unwrap();
}
