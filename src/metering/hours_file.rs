//! One CSV file a month: `inference-hours-2026-11.csv`, columns `hour,model,version,unit_seconds`.
//!
//! The file is replaced as a whole each minute, so a power cut loses at most a minute. A month of one model version has at
//! most 744 rows.

use crate::metering::inference_hours::HourRow;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

const HEADER: &str = "hour,model,version,unit_seconds";

/// The files of all months in a directory.
#[derive(Clone, Debug)]
pub struct HoursFiles {
    directory: PathBuf,
}

impl HoursFiles {
    /// The first write creates `directory`.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The path of a month's file.
    pub(crate) fn path(&self, month: &str) -> PathBuf {
        self.directory.join(format!("inference-hours-{month}.csv"))
    }

    /// Reads the rows of a month; none if it has no file. Malformed rows are skipped and logged.
    ///
    /// # Errors
    /// `InvalidInput` if the month is malformed; otherwise the error of reading its file.
    pub(crate) fn read(&self, month: &str) -> io::Result<Vec<HourRow>> {
        if !is_month(month) {
            let text = format!("`{month}` is not a month: write it as 2026-11");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let path = self.path(month);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let lines = text.lines().skip(1);
        Ok(lines
            .filter_map(|line| {
                let row = parse(line);
                if row.is_none() {
                    tracing::warn!(file = %path.display(), line, "a line of the inference hours is malformed and is skipped");
                }
                row
            })
            .collect())
    }
}

/// The rows as CSV, as in the files and in `ocelli hours --csv`.
pub(crate) fn csv(rows: &[HourRow]) -> String {
    let mut text = format!("{HEADER}\n");
    for HourRow { hour, model, version, unit_seconds } in rows {
        // A version is free text from a manifest, so commas and line breaks are replaced.
        let version = version.replace([',', '\n', '\r'], " ");
        // Writing to a string cannot fail.
        writeln!(text, "{hour},{model},{version},{unit_seconds:.3}").unwrap_or(());
    }
    text
}

/// True for four digits, a dash and two digits. Anything else might name another file.
fn is_month(text: &str) -> bool {
    text.len() == 7
        && text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn parse(line: &str) -> Option<HourRow> {
    let [hour, model, version, seconds] = line.split(',').collect::<Vec<_>>().try_into().ok()?;
    let unit_seconds = seconds.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)?;
    Some(HourRow { hour: hour.to_owned(), model: model.to_owned(), version: version.to_owned(), unit_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_month_is_accepted() {
        assert!(is_month("2026-11"));
        for text in ["", "2026", "2026-1", "../../x", "2026/11", "20261-1"] {
            assert!(!is_month(text), "{text}");
            assert!(HoursFiles::new(Path::new("/")).read(text).is_err());
        }
    }

    #[test]
    fn rows_are_read_back_and_only_a_damaged_line_is_skipped() {
        let home = tempfile::tempdir().unwrap();
        let files = HoursFiles::new(&home.path().join("state"));
        assert!(files.read("2026-11").unwrap().is_empty());
        let row = |hour: &str, unit_seconds| HourRow {
            hour: hour.into(),
            model: "coco".into(),
            version: "1".into(),
            unit_seconds,
        };
        let rows = [row("2026-11-24T08", 7200.5), row("2026-11-24T09", 60.0)];
        std::fs::create_dir(home.path().join("state")).unwrap();
        std::fs::write(files.path("2026-11"), csv(&rows)).unwrap();
        assert_eq!(files.read("2026-11").unwrap(), rows);
        let path = files.path("2026-11");
        let text = std::fs::read_to_string(&path).unwrap().replace("7200.500", "NaN");
        std::fs::write(&path, text).unwrap();
        assert_eq!(files.read("2026-11").unwrap(), rows[1..]);
    }
}
