//! The minutes as a table and as a drawing, which a browser shows.

use crate::minute::Minute;
use crate::support::root;
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
/// Of the drawing of a panel, and with its title.
const HEIGHT: f64 = 110.0;
const PANEL: f64 = 150.0;
/// Where the drawing begins: the numbers are left of it.
const LEFT: f64 = 70.0;
const COLOURS: [&str; 3] = ["#1b6ca8", "#c0392b", "#2e8b57"];

/// A title and the columns that are drawn together.
const PANELS: [(&str, &[&str]); 7] = [
    ("memory of the daemon, MB", &["daemon_mb"]),
    ("memory of capture processes and units, MB", &["captures_mb", "units_mb"]),
    ("descriptors and threads of the daemon", &["descriptors", "threads"]),
    ("state directory, MB", &["state_mb"]),
    ("written by the daemon, MB", &["written_mb"]),
    ("a frame to its message, ms", &["latency_p50_ms", "latency_p99_ms"]),
    ("seconds until the box was well after a disturbance", &["recovered_after_s"]),
];

/// Writes `target/reports/<name>.csv` and `.svg`.
pub(crate) fn write(name: &str, minutes: &[Minute]) {
    let reports = root().join("target/reports");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::write(reports.join(format!("{name}.csv")), table(minutes)).unwrap();
    std::fs::write(reports.join(format!("{name}.svg")), drawing(minutes)).unwrap();
}

fn table(minutes: &[Minute]) -> String {
    let mut text = format!("minute,disturbance,{}\n", Minute::COLUMNS.join(","));
    for (number, minute) in (1..).zip(minutes) {
        let values = minute.values().map(|value| format!("{value:.3}"));
        writeln!(text, "{number},{:?},{}", minute.disturbance, values.join(",")).unwrap();
    }
    text
}

fn drawing(minutes: &[Minute]) -> String {
    let height = PANEL * PANELS.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        WIDTH + LEFT + 20.0
    );
    for (number, (title, columns)) in PANELS.iter().enumerate() {
        panel(&mut svg, minutes, PANEL * number as f64 + 30.0, title, columns);
    }
    writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">{} minutes</text>\n</svg>", height - 8.0, minutes.len()).unwrap();
    svg
}

fn panel(svg: &mut String, minutes: &[Minute], top: f64, title: &str, columns: &[&str]) {
    let series: Vec<Vec<f64>> = columns.iter().map(|column| values(minutes, column)).collect();
    let known = || series.iter().flatten().copied().filter(|value| value.is_finite());
    // From 0 on, so that noise does not look like growth.
    let most = known().fold(0.0, f64::max).max(1e-9);
    let below = top + HEIGHT;
    writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{title}</text>", top - 6.0).unwrap();
    writeln!(svg, "<path d=\"M{LEFT} {top}V{below}H{}\" fill=\"none\" stroke=\"#888\"/>", LEFT + WIDTH).unwrap();
    for (value, y) in [(most, top + 10.0), (0.0, below)] {
        writeln!(svg, "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{value:.1}</text>", LEFT - 6.0).unwrap();
    }
    for ((values, column), colour) in series.iter().zip(columns).zip(COLOURS) {
        let step = WIDTH / (values.len().max(2) - 1) as f64;
        let known = values.iter().enumerate().filter(|(_, value)| value.is_finite());
        let points: Vec<String> = known
            .map(|(at, value)| format!("{:.1},{:.1}", LEFT + step * at as f64, below - HEIGHT * value / most))
            .collect();
        let points = points.join(" ");
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\"><title>{column}</title></polyline>"
        )
        .unwrap();
    }
    if columns.len() > 1 {
        let names = columns.iter().zip(COLOURS).rev().enumerate();
        for (place, (column, colour)) in names {
            let x = LEFT + WIDTH - 130.0 * place as f64;
            writeln!(svg, "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\" fill=\"{colour}\">{column}</text>", top - 6.0)
                .unwrap();
        }
    }
}

fn values(minutes: &[Minute], column: &str) -> Vec<f64> {
    let place = Minute::COLUMNS.iter().position(|name| *name == column).unwrap();
    minutes.iter().map(|minute| minute.values()[place]).collect()
}
