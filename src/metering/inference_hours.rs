//! Measures the time that units are in service: two units for eight hours are sixteen inference hours.

use crate::metering::month_of;
use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The unit seconds of one model version within one hour of the wall clock.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct HourRow {
    /// The hour in UTC, `2026-11-24T08`, by the wall clock at that time.
    pub(crate) hour: String,
    /// The model's name.
    pub(crate) model: String,
    /// The version in its package's manifest.
    pub(crate) version: String,
    /// The seconds that its units were in service, added up.
    pub(crate) unit_seconds: f64,
}

impl HourRow {
    /// What it counts.
    fn name(&self) -> (&str, &str, &str) {
        (&self.hour, &self.model, &self.version)
    }
}

/// Rows that were stored, with what was counted since.
pub(crate) fn with_newer(stored: Vec<HourRow>, counted: Vec<HourRow>) -> Vec<HourRow> {
    let mut rows: BTreeMap<(String, String, String), f64> = BTreeMap::new();
    for HourRow { hour, model, version, unit_seconds } in stored.into_iter().chain(counted) {
        let seconds = rows.entry((hour, model, version)).or_default();
        // Counts only grow: of two, the larger one is the newer one, in whatever order they were read.
        *seconds = seconds.max(unit_seconds);
    }
    let row = |((hour, model, version), unit_seconds)| HourRow { hour, model, version, unit_seconds };
    rows.into_iter().map(row).collect()
}

/// Model, version and number of units in service.
type InService = Vec<(String, String, usize)>;

/// Inference hours by hour, model and version. Monotonic time measures; wall time only names the hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct InferenceHours {
    rows: BTreeMap<(String, String, String), f64>,
    last: Option<(Monotonic, InService)>,
}

impl InferenceHours {
    /// Adds the stored rows of a month to what was counted since, which must not be stored yet.
    pub(crate) fn add_stored(&mut self, rows: Vec<HourRow>) {
        for HourRow { hour, model, version, unit_seconds } in rows {
            *self.rows.entry((hour, model, version)).or_default() += unit_seconds;
        }
    }

    /// Records the units that are in service at `now`, in the wall clock's `hour`. The units of the last record count until
    /// now.
    pub(crate) fn record(&mut self, in_service: InService, hour: &str, now: Monotonic) {
        if let Some((since, before)) = self.last.take() {
            let seconds = now.since(since).as_secs_f64();
            for (model, version, units) in before {
                *self.rows.entry((hour.to_owned(), model, version)).or_default() += units as f64 * seconds;
            }
        }
        self.last = Some((now, in_service));
    }

    /// Returns the rows of a month (`2026-11`).
    pub(crate) fn month(&self, month: &str) -> Vec<HourRow> {
        let of_month = self.rows.iter().filter(|((hour, _, _), _)| hour.starts_with(month));
        let row = |((hour, model, version), seconds): (&(String, String, String), &f64)| HourRow {
            hour: hour.clone(),
            model: model.clone(),
            version: version.clone(),
            unit_seconds: *seconds,
        };
        of_month.map(row).collect()
    }

    /// Returns the rows of a month that differ from those that were stored of it.
    pub(crate) fn unstored(&self, month: &str, stored: &[HourRow]) -> Vec<HourRow> {
        let seconds: BTreeMap<_, _> = stored.iter().map(|row| (row.name(), row.unit_seconds)).collect();
        let is_stored = |row: &HourRow| seconds.get(&row.name()) == Some(&row.unit_seconds);
        self.month(month).into_iter().filter(|row| !is_stored(row)).collect()
    }

    /// Returns the months that have rows, in order.
    pub(crate) fn months(&self) -> BTreeSet<String> {
        self.rows.keys().map(|(hour, _, _)| month_of(hour)).collect()
    }

    /// Returns the inference hours of each model and version in a month.
    pub(crate) fn totals(&self, month: &str) -> BTreeMap<(String, String), f64> {
        let mut totals = BTreeMap::new();
        for ((_, model, version), seconds) in self.rows.iter().filter(|((hour, _, _), _)| hour.starts_with(month)) {
            *totals.entry((model.clone(), version.clone())).or_default() += seconds / 3600.0;
        }
        totals
    }

    /// Drops the rows of a month. They must be on disk.
    pub(crate) fn forget(&mut self, month: &str) {
        self.rows.retain(|(hour, _, _), _| !hour.starts_with(month));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn units(count: usize) -> InService {
        vec![("coco".into(), "1".into(), count)]
    }

    #[test]
    fn two_units_for_eight_hours_are_sixteen() {
        let mut hours = InferenceHours::default();
        for minute in 0..=8 * 60 {
            hours.record(units(2), &format!("2026-11-24T{:02}", minute / 60), at(minute * 60));
        }
        let total = hours.totals("2026-11")[&("coco".to_owned(), "1".to_owned())];
        assert!((total - 16.0).abs() < 1e-9, "{total}");
        assert_eq!(hours.month("2026-11").len(), 9);
        assert!(hours.month("2026-10").is_empty() && hours.totals("2026-12").is_empty());
    }

    #[test]
    fn what_is_stored_and_what_is_counted_since_are_one_list() {
        let row = |hour: &str, unit_seconds| HourRow {
            hour: hour.into(),
            model: "coco".into(),
            version: "1".into(),
            unit_seconds,
        };
        let mut hours = InferenceHours::default();
        let stored = vec![row("2026-11-24T07", 3600.0), row("2026-11-24T08", 60.0)];
        hours.add_stored(stored.clone());
        assert!(hours.unstored("2026-11", &stored).is_empty());
        hours.record(units(1), "2026-11-24T08", at(0));
        hours.record(units(1), "2026-11-24T08", at(30));
        let counted = hours.unstored("2026-11", &stored);
        assert_eq!(counted, [row("2026-11-24T08", 90.0)]);
        let all = [row("2026-11-24T07", 3600.0), row("2026-11-24T08", 90.0)];
        assert_eq!(with_newer(stored, counted.clone()), all);
        assert_eq!(with_newer(vec![all[0].clone(), row("2026-11-24T08", 95.0)], counted)[1].unit_seconds, 95.0);
    }

    #[test]
    fn a_step_of_the_wall_clock_neither_adds_nor_loses_time() {
        let mut hours = InferenceHours::default();
        hours.record(units(1), "1970-01-01T00", at(0));
        hours.record(units(1), "2026-11-24T08", at(60));
        hours.record(units(0), "2026-11-24T07", at(90));
        hours.record(units(0), "2026-11-24T07", at(900));
        let months = hours.months().into_iter();
        let seconds: f64 = months.flat_map(|month| hours.month(&month)).map(|row| row.unit_seconds).sum();
        assert!((seconds - 90.0).abs() < 1e-9, "{seconds}");
    }
}
