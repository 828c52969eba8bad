//! Inference hours of all boxes, as etcd keeps them.
//!
//! A box writes its hours when its units change and once an hour. Between two writes a reader counts the units on, as long as the box is
//! there: the sum is the same from every box, and an idle cluster writes a few times a day.

use crate::cluster::records::{HoursRecord, ModelHours};
use crate::cluster::view::View;
use serde::Serialize;
use std::collections::BTreeMap;

/// After so long the hours of a box are written although its units have not changed, in milliseconds.
const WRITE_PERIOD_MS: i64 = 3_600_000;

/// The hours of a box are written too if they differ by more from what readers count.
const MOST_ERROR_HOURS: f64 = 0.05;

/// A reader counts on for no longer, however wrong a clock is.
const MOST_MS: i64 = WRITE_PERIOD_MS + 300_000;

/// A month of one box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthHours {
    /// As `2026-11`; empty: not known yet.
    pub month: String,
    /// By model and version.
    pub rows: Vec<ModelHours>,
}

/// Inference hours of a model in a month at all boxes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SharedHours {
    /// The model.
    pub model: String,
    /// The version in its package's manifest.
    pub version: String,
    /// Hours of one unit, on all boxes together.
    pub inference_hours: f64,
    /// The same by box.
    pub boxes: BTreeMap<String, f64>,
}

impl HoursRecord {
    /// True if a box should write `now`, given what it has written.
    pub(super) fn is_due(&self, now: &Self) -> bool {
        let units = |record: &Self| {
            let of = |row: &ModelHours| (row.model.clone(), row.version.clone(), row.units);
            record.rows.iter().map(of).collect::<Vec<_>>()
        };
        let counted: f64 = now.rows.iter().map(|row| row.hours).sum();
        let expected: f64 = self.at(now.at_ms, true).map(|(_, hours)| hours).sum();
        let differs = (counted - expected).abs() > MOST_ERROR_HOURS;
        let is_old = !(0..WRITE_PERIOD_MS).contains(&(now.at_ms - self.at_ms));
        self.run != now.run || units(self) != units(now) || is_old || differs
    }

    /// The rows at `now_ms`, if the run of the box goes on.
    fn at(&self, now_ms: i64, goes_on: bool) -> impl Iterator<Item = (&ModelHours, f64)> {
        let passed_ms = if goes_on { (now_ms - self.at_ms).clamp(0, MOST_MS) } else { 0 };
        let passed = passed_ms as f64 / 3_600_000.0;
        self.rows.iter().map(move |row| (row, row.hours + row.units as f64 * passed))
    }

    /// True if units of this run add to it.
    pub(super) fn goes_on(&self, run: &str) -> bool {
        self.run == run && self.rows.iter().any(|row| row.units > 0)
    }

    /// The last record of a month or of a run that is over.
    pub(super) fn closed(&self, now_ms: i64) -> Self {
        let rows = self.at(now_ms, true).map(|(row, hours)| ModelHours { hours, units: 0, ..row.clone() });
        Self { run: self.run.clone(), at_ms: now_ms, rows: rows.collect() }
    }
}

/// What all boxes have written of their inference hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoursOfBoxes {
    /// By month and box.
    records: BTreeMap<(String, String), HoursRecord>,
    /// The runs of the boxes that are there.
    runs: BTreeMap<String, String>,
}

impl HoursOfBoxes {
    pub(super) fn of(view: &View) -> Self {
        Self {
            records: view.hours.iter().map(|(of, kept)| (of.clone(), kept.value.clone())).collect(),
            runs: view.boxes.iter().map(|(id, kept)| (id.clone(), kept.value.run.clone())).collect(),
        }
    }

    /// The sums of a month, such as `2026-11`, by model and version.
    pub fn month(&self, month: &str, now_ms: i64) -> Vec<SharedHours> {
        let mut sums = BTreeMap::<(&str, &str), SharedHours>::new();
        for ((_, box_id), record) in self.records.iter().filter(|((of, _), _)| of == month) {
            let goes_on = self.runs.get(box_id) == Some(&record.run);
            for (row, hours) in record.at(now_ms, goes_on) {
                let sum = sums.entry((&row.model, &row.version)).or_insert_with(|| SharedHours {
                    model: row.model.clone(),
                    version: row.version.clone(),
                    ..SharedHours::default()
                });
                sum.inference_hours += hours;
                *sum.boxes.entry(box_id.clone()).or_default() += hours;
            }
        }
        sums.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn record(run: &str, at_ms: i64, hours: f64, units: usize) -> HoursRecord {
        let row = ModelHours { model: "m".into(), version: "1".into(), hours, units };
        HoursRecord { run: run.into(), at_ms, rows: vec![row] }
    }

    #[test]
    fn a_box_writes_at_a_change_and_once_an_hour_and_when_it_is_another_run() {
        let written = record("one", 10 * HOUR, 5.0, 2);
        assert!(!written.is_due(&record("one", 10 * HOUR + 60_000, 5.03, 2)));
        assert!(written.is_due(&record("one", 10 * HOUR + 1000, 5.0, 3)));
        assert!(written.is_due(&record("one", 11 * HOUR, 7.0, 2)));
        assert!(written.is_due(&record("two", 10 * HOUR + 1000, 5.0, 2)));
        assert!(written.is_due(&record("one", 10 * HOUR + 60_000, 5.5, 2)), "more than was counted on");
        assert!(written.is_due(&record("one", 9 * HOUR, 5.0, 2)), "the clock was set back");
        assert!(written.is_due(&HoursRecord { rows: vec![], ..written.clone() }));
    }

    #[test]
    fn units_are_counted_on_while_their_box_is_there_and_never_for_long() {
        let month = |id: &str, hours: f64| (("2026-11".to_owned(), id.to_owned()), record("one", 10 * HOUR, hours, 2));
        let of_boxes = HoursOfBoxes {
            records: [month("a", 5.0), month("dead", 1.0), month("again", 2.0)].into(),
            runs: [("a", "one"), ("again", "two")].map(|(id, run)| (id.to_owned(), run.to_owned())).into(),
        };
        let hours = |now_ms: i64| of_boxes.month("2026-11", now_ms)[0].clone();
        let half_past = hours(10 * HOUR + HOUR / 2);
        assert_eq!((half_past.inference_hours, half_past.boxes["a"]), (5.0 + 2.0 * 0.5 + 1.0 + 2.0, 6.0));
        assert_eq!(hours(9 * HOUR).inference_hours, 8.0, "a clock that is behind takes nothing away");
        assert!(hours(9_000 * HOUR).inference_hours < 8.0 + 2.2);
        assert!(of_boxes.month("2026-12", 0).is_empty());
    }

    #[test]
    fn a_month_that_is_over_keeps_what_it_had_at_its_end() {
        let closed = record("one", 10 * HOUR, 5.0, 2).closed(10 * HOUR + HOUR / 2);
        assert_eq!((closed.rows[0].hours, closed.rows[0].units), (6.0, 0));
    }
}
