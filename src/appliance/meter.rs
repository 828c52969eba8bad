//! Reads the meter of inference hours and keeps it on disk, off the loop.

use crate::metering::{HoursFiles, InferenceHours, month_of, this_hour};
use crate::model::package::Package;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// How often the counts go to disk: what a power cut may cost.
const KEEP_PERIOD: Duration = Duration::from_secs(60);

/// Units in service by package.
type Metered = Vec<(Arc<Package>, usize)>;

/// The meter of the box.
#[derive(Debug)]
pub(super) struct Meter {
    hours: InferenceHours,
    files: HoursFiles,
    /// Of the last look. Empty: there was none.
    month: String,
    kept_at: Monotonic,
    /// Something is being written; the months that were over by then come back.
    writing: Option<oneshot::Receiver<Vec<String>>>,
}

impl Meter {
    /// Goes on from what is kept of this month.
    pub(super) fn load(files: HoursFiles, now: Monotonic) -> Self {
        let hours = InferenceHours::default();
        let mut meter = Self { hours, files, month: String::new(), kept_at: now, writing: None };
        meter.turn_to(month_of(&this_hour()));
        meter
    }

    /// Looks at what is in service, and keeps the counts once a minute.
    pub(super) fn look(&mut self, metered: Metered, now: Monotonic) {
        self.count(in_service(metered), &this_hour(), now);
        self.keep(now);
    }

    /// Begins to write once a minute, unless something is being written.
    fn keep(&mut self, now: Monotonic) {
        self.forget_written();
        if now.since(self.kept_at) >= KEEP_PERIOD && self.writing.is_none() {
            self.kept_at = now;
            let (files, hours, month) = (self.files.clone(), self.hours.clone(), self.month.clone());
            let (done, writing) = oneshot::channel();
            self.writing = Some(writing);
            // A slow card may take seconds: nobody waits for it.
            drop(tokio::task::spawn_blocking(move || {
                let written = write(&files, &hours).into_iter();
                // Without a meter there is nothing to forget.
                done.send(written.filter(|written| *written != month).collect()).unwrap_or_default();
            }));
        }
    }

    /// Keeps the counts now: the last thing before the end.
    pub(super) async fn close(&mut self, metered: Metered, now: Monotonic) {
        if let Some(writing) = self.writing.take() {
            drop(writing.await);
        }
        self.count(in_service(metered), &this_hour(), now);
        write(&self.files, &self.hours);
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
        self.hours.look(in_service, hour, now);
    }

    /// A month begins, or the box has learned which one it is: something may be kept of it.
    fn turn_to(&mut self, month: String) {
        match self.files.read(&month) {
            Ok(rows) => self.hours.add_kept(rows),
            Err(error) => {
                tracing::error!(month, %error, "the inference hours of this month cannot be read; they begin anew");
            }
        }
        self.month = month;
    }

    fn forget(&mut self, months: &[String]) {
        months.iter().filter(|month| **month != self.month).for_each(|month| self.hours.forget(month));
    }

    /// A month that is over is forgotten when it is on disk.
    fn forget_written(&mut self) {
        let Some(writing) = &mut self.writing else { return };
        match writing.try_recv() {
            Ok(months) => self.forget(&months),
            Err(TryRecvError::Closed) => {}
            Err(TryRecvError::Empty) => return,
        }
        self.writing = None;
    }
}

fn in_service(metered: Metered) -> Vec<(String, String, usize)> {
    let metered = metered.into_iter();
    metered.map(|(package, units)| (package.model.clone(), package.version.clone(), units)).collect()
}

/// The months that were written; the others are tried again in a minute.
fn write(files: &HoursFiles, hours: &InferenceHours) -> Vec<String> {
    let is_written = |month: &String| {
        let written = files.write(month, &hours.month(month));
        if let Err(error) = &written {
            tracing::error!(month, %error, "the inference hours cannot be kept; they are tried again in a minute");
        }
        written.is_ok()
    };
    hours.months().into_iter().filter(is_written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::HourRow;
    use std::path::Path;

    fn meter(directory: &Path) -> Meter {
        Meter::load(HoursFiles::new(directory), at(0))
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

    /// Waits until what is being written is.
    async fn written(meter: &mut Meter) {
        let months = meter.writing.take().unwrap().await.unwrap();
        meter.forget(&months);
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
        meter.files.write("2026-11", &[kept]).unwrap();
        meter.count(one_unit(), "1970-01-01T00", at(0));
        meter.count(one_unit(), "2026-11-24T08", at(60));
        meter.keep(at(60));
        written(&mut meter).await;
        assert_eq!(seconds(&meter.files.read("2026-11").unwrap()), 110.0);
    }
}
