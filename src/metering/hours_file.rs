//! One CSV file a month: `inference-hours-2026-11.csv`, columns `hour,model,version,unit_seconds`.
//!
//! The file is replaced as a whole each minute, so a power cut loses at most a minute. A month of one model version has at
//! most 744 rows.

use crate::metering::inference_hours::HourRow;
use crate::metering::month_of;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

const HEADER: &str = "hour,model,version,unit_seconds";

/// The files of all months in a directory.
#[derive(Clone, Debug)]
pub struct HoursFiles {
    directory: PathBuf,
}

/// What a month's file holds.
#[derive(Debug, Default)]
pub(crate) struct StoredMonth {
    /// The rows that can be read.
    pub(crate) rows: Vec<HourRow>,
    /// How many lines are damaged; the next write of the file loses them.
    pub(crate) damaged_lines: usize,
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

    /// Reads the rows of a month; none if it has no file. Damaged lines are skipped and logged.
    ///
    /// # Errors
    /// `InvalidInput` if the month is malformed; otherwise the error of reading its file.
    pub(crate) fn read(&self, month: &str) -> io::Result<Vec<HourRow>> {
        Ok(self.stored(month)?.rows)
    }

    /// As [`Self::read`], and says how many lines were skipped.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub(crate) fn stored(&self, month: &str) -> io::Result<StoredMonth> {
        if !is_month(month) {
            let text = format!("`{month}` is not a month: write it as 2026-11");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let path = self.path(month);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(StoredMonth::default()),
            bytes => bytes?,
        };
        let mut stored = StoredMonth::default();
        // Line by line: a damaged byte costs its line only.
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end());
        for line in lines.filter(|line| !line.is_empty() && *line != HEADER.as_bytes()) {
            match std::str::from_utf8(line).ok().and_then(parse).filter(|row| month_of(&row.hour) == month) {
                Some(row) => stored.rows.push(row),
                None => {
                    stored.damaged_lines += 1;
                    let (file, line) = (path.display(), String::from_utf8_lossy(line));
                    tracing::warn!(%file, %line, "a line of the inference hours is damaged and is skipped");
                }
            }
        }
        Ok(stored)
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

/// True for four digits, a dash and 01 to 12. Anything else might name another file.
fn is_month(text: &str) -> bool {
    text.len() == 7
        && text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
        && text[5..].parse::<u8>().is_ok_and(|month| (1..=12).contains(&month))
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
        for text in ["", "2026", "2026-1", "2026-00", "2026-13", "2026-99", "../../x", "2026/11", "20261-1"] {
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
    #[test]
    fn a_byte_that_is_no_text_costs_its_line_only() {
        let home = tempfile::tempdir().unwrap();
        let files = HoursFiles::new(home.path());
        let good = "2026-11-24T09,coco,1,60.000";
        let text = format!("{HEADER}\n2026-11-24T08,coco,1,7200.500\n{good}\n2026-12-01T00,coco,1,5.000\n");
        let mut bytes = text.into_bytes();
        bytes[HEADER.len() + 20] = 0xFF;
        std::fs::write(files.path("2026-11"), bytes).unwrap();
        let stored = files.stored("2026-11").unwrap();
        assert_eq!(stored.rows, [parse(good).unwrap()]);
        assert_eq!(stored.damaged_lines, 2, "one has a damaged byte, one an hour of another month");
    }
}
