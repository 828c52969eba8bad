//! Meters inference hours and stores them on the disk.

use crate::kept::{FileKeeper, OnRefusal};
use crate::metering::{HourRow, HoursFiles, InferenceHours, csv, month_of, this_hour};
use crate::model::package::Package;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How often the counts are written to disk. A power cut loses at most this much.
const KEEP_PERIOD: Duration = Duration::from_secs(60);

/// The first write comes soon after the start, so that a disk that refuses it is reported soon.
const FIRST_KEEP: Duration = Duration::from_secs(5);

/// Queue capacity for written months. A month that finds it full is removed from memory after the next write.
const MONTHS: usize = 16;

/// How long the shutdown waits for each write.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// Units in service by package.
type Metered = Vec<(Arc<Package>, usize)>;

/// A month and its rows.
type WrittenMonth = (String, Vec<HourRow>);

/// The meter of the box.
#[derive(Debug)]
pub(super) struct Meter {
    hours: InferenceHours,
    files: HoursFiles,
    keeper: FileKeeper,
    /// The month of the last count; empty before the first one.
    month: String,
    keep_at: Monotonic,
    /// Months with their rows as they were written, from the file thread.
    written: (SyncSender<WrittenMonth>, Receiver<WrittenMonth>),
}

impl Meter {
    /// Continues from the stored hours of this month.
    pub(super) fn load(files: HoursFiles, keeper: FileKeeper, now: Monotonic) -> Self {
        let hours = InferenceHours::default();
        let mut meter = Self {
            hours,
            files,
            keeper,
            month: String::new(),
            keep_at: now + FIRST_KEEP,
            written: sync_channel(MONTHS),
        };
        meter.turn_to(month_of(&this_hour()));
        meter
    }

    /// Counts the units in service, and stores the counts once a minute.
    pub(super) fn look(&mut self, metered: Metered, now: Monotonic) {
        self.count(in_service(metered), &this_hour(), now);
        self.keep(now);
    }

    /// Starts to write all months, once a minute.
    fn keep(&mut self, now: Monotonic) {
        self.forget_written();
        if now < self.keep_at {
            return;
        }
        self.keep_at = now + KEEP_PERIOD;
        for month in self.hours.months() {
            let rows = self.hours.month(&month);
            let (path, content) = (self.files.path(&month), csv(&rows).into_bytes());
            let written = self.written.0.clone();
            // The meter may be gone already, or its queue full.
            let done = move |result: Result<(), String>| {
                if result.is_ok() {
                    drop(written.try_send((month, rows)));
                }
            };
            // A refusal is reported there, and the next minute brings newer counts.
            self.keeper.write(path, content, OnRefusal::TryAgain, done).unwrap_or_default();
        }
    }

    /// Counts and stores for the last time, within a bounded time for each month.
    pub(super) async fn close(&mut self, metered: Metered, now: Monotonic) {
        self.count(in_service(metered), &this_hour(), now);
        for month in self.hours.months() {
            let (path, content) = (self.files.path(&month), csv(&self.hours.month(&month)).into_bytes());
            if tokio::time::timeout(DISK_PATIENCE, self.keeper.replace(path, content)).await.is_err() {
                return tracing::warn!("the last inference hours could not be written to the disk in time");
            }
        }
    }

    /// Inference hours by model and version since the month began.
    pub(super) fn totals(&self) -> BTreeMap<(String, String), f64> {
        self.hours.totals(&self.month)
    }

    fn count(&mut self, in_service: Vec<(String, String, usize)>, hour: &str, now: Monotonic) {
        let month = month_of(hour);
        if month != self.month {
            self.turn_to(month);
        }
        self.hours.record(in_service, hour, now);
    }

    /// A month begins, or the clock was set to another month: loads what is stored of it.
    fn turn_to(&mut self, month: String) {
        match self.files.read(&month) {
            Ok(rows) => self.hours.add_stored(rows),
            Err(error) => {
                tracing::error!(month, %error, "the inference hours of this month cannot be read; they restart at 0");
            }
        }
        self.month = month;
    }

    /// Removes past months from memory when all their counts are on the disk.
    fn forget_written(&mut self) {
        for (month, rows) in self.written.1.try_iter().filter(|(month, _)| *month != self.month) {
            if self.hours.month(&month) == rows {
                self.hours.forget(&month);
            }
        }
    }
}

fn in_service(metered: Metered) -> Vec<(String, String, usize)> {
    let metered = metered.into_iter();
    metered.map(|(package, units)| (package.model.clone(), package.version.clone(), units)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn meter(directory: &Path) -> Meter {
        Meter::load(HoursFiles::new(directory), FileKeeper::start().unwrap(), at(0))
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn one_unit() -> Vec<(String, String, usize)> {
        vec![("coco".into(), "1".into(), 1)]
    }

    fn seconds(rows: &[HourRow]) -> f64 {
        rows.iter().map(|row| row.unit_seconds).sum()
    }

    /// Waits until what is being written is on the disk.
    async fn written(meter: &mut Meter) {
        let (done, written) = tokio::sync::oneshot::channel();
        meter.keeper.run(move |_| done.send(()).unwrap_or_default()).unwrap();
        written.await.unwrap();
        // Jobs run before contents of the same batch are written.
        meter.keeper.replace(meter.files.path("marker"), Vec::new()).await.unwrap();
        meter.forget_written();
    }

    #[tokio::test]
    async fn a_month_that_is_over_is_kept_to_its_end_and_then_no_longer_counted() {
        let home = tempfile::tempdir().unwrap();
        let mut meter = meter(home.path());
        meter.count(one_unit(), "2026-11-30T23", at(0));
        meter.count(one_unit(), "2026-11-30T23", at(90));
        meter.keep(at(90));
        meter.count(one_unit(), "2026-11-30T23", at(100));
        meter.count(one_unit(), "2026-12-01T00", at(130));
        written(&mut meter).await;
        meter.keep(at(150));
        written(&mut meter).await;
        assert_eq!(seconds(&meter.files.read("2026-11").unwrap()), 100.0);
        assert_eq!(seconds(&meter.files.read("2026-12").unwrap()), 30.0);
        assert_eq!(meter.hours.months().into_iter().collect::<Vec<_>>(), ["2026-12"]);
        assert_eq!(meter.totals().into_values().map(|hours| hours * 3600.0).collect::<Vec<_>>(), [30.0]);
    }

    #[tokio::test]
    async fn a_box_that_learns_the_time_goes_on_from_what_it_has_kept_of_that_month() {
        let home = tempfile::tempdir().unwrap();
        let mut meter = meter(home.path());
        let kept =
            HourRow { hour: "2026-11-24T08".into(), model: "coco".into(), version: "1".into(), unit_seconds: 50.0 };
        std::fs::write(meter.files.path("2026-11"), csv(&[kept])).unwrap();
        meter.count(one_unit(), "1970-01-01T00", at(0));
        meter.count(one_unit(), "2026-11-24T08", at(60));
        meter.keep(at(60));
        written(&mut meter).await;
        assert_eq!(seconds(&meter.files.read("2026-11").unwrap()), 110.0);
    }
}
