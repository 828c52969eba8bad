//! Meters inference hours and stores them on the disk.
//!
//! At a change of month the file thread reads what is stored of the new one, because the event loop must not wait for a
//! disk. Until it has come the month is counted from 0, and its file is not written.

use crate::kept::{FileKeeper, FileWriter, OnRefusal};
use crate::metering::{HourRow, HoursFiles, InferenceHours, csv, month_of, this_hour};
use crate::model::package::Package;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often the counts are written to disk. A power cut loses at most this much.
const KEEP_PERIOD: Duration = Duration::from_secs(60);

/// The first write comes soon after the start, so that a disk that refuses it is reported soon.
const FIRST_KEEP: Duration = Duration::from_secs(5);

/// Queue capacity for written months. A month that finds it full is removed from memory after the next write.
const MONTHS: usize = 16;

/// How long the shutdown waits for each write, and for what is still being read.
const DISK_PATIENCE: Duration = Duration::from_millis(500);

/// Units in service by package.
type Metered = Vec<(Arc<Package>, usize)>;

/// A month and its rows.
type WrittenMonth = (String, Vec<HourRow>);

/// The stored rows of a month, or why its file must not be replaced.
type Stored = Result<Vec<HourRow>, String>;

/// The meter of the box.
#[derive(Debug)]
pub(super) struct Meter {
    hours: InferenceHours,
    files: HoursFiles,
    keeper: FileKeeper,
    /// The month of the last count; empty before the first one.
    month: String,
    keep_at: Monotonic,
    /// Months whose file is being read.
    reading: BTreeMap<String, oneshot::Receiver<Stored>>,
    /// Months whose counts include what was stored of them.
    complete: BTreeSet<String>,
    /// What the disk has of the month of the last count.
    on_disk: Vec<HourRow>,
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
            reading: BTreeMap::new(),
            complete: BTreeSet::new(),
            on_disk: Vec::new(),
            written: sync_channel(MONTHS),
        };
        let month = month_of(&this_hour());
        // The event loop does not run yet. A file that is damaged is left to the file thread.
        if let Ok(stored) = meter.files.stored(&month)
            && stored.damaged_lines == 0
        {
            meter.hours.add_stored(stored.rows.clone());
            meter.complete.insert(month.clone());
            meter.turn_to(month);
            meter.on_disk = stored.rows;
        } else {
            meter.turn_to(month);
        }
        meter
    }

    /// Counts the units in service, and stores the counts once a minute.
    pub(super) fn look(&mut self, metered: Metered, now: Monotonic) {
        self.count(in_service(metered), &this_hour(), now);
        self.keep(now);
    }

    /// Starts to write all complete months, once a minute.
    fn keep(&mut self, now: Monotonic) {
        self.add_stored();
        self.forget_written();
        if now < self.keep_at {
            return;
        }
        self.keep_at = now + KEEP_PERIOD;
        self.ask_again();
        for month in self.hours.months().into_iter().filter(|month| self.complete.contains(month)) {
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
            self.keeper.write(&path, content, OnRefusal::TryAgain, done).unwrap_or_default();
        }
    }

    /// Counts and stores for the last time, within a bounded time for each month.
    pub(super) async fn close(&mut self, metered: Metered, now: Monotonic) {
        self.count(in_service(metered), &this_hour(), now);
        if !self.reading.is_empty() {
            self.keeper.flush(DISK_PATIENCE).await;
            self.add_stored();
        }
        for month in self.hours.months() {
            if !self.complete.contains(&month) {
                tracing::warn!(month, "the last inference hours are not written: the month's file could not be read");
                continue;
            }
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

    /// The month of the totals, once what is stored of it is among them.
    pub(super) fn complete_month(&self) -> Option<String> {
        self.complete.contains(&self.month).then(|| self.month.clone())
    }

    /// Rows of this month that the disk does not have yet, or not as they are. None until the month was read.
    pub(super) fn unstored(&self) -> Vec<HourRow> {
        match self.complete.contains(&self.month) {
            true => self.hours.unstored(&self.month, &self.on_disk),
            false => Vec::new(),
        }
    }

    fn count(&mut self, in_service: Vec<(String, String, usize)>, hour: &str, now: Monotonic) {
        let month = month_of(hour);
        if month != self.month {
            self.turn_to(month);
        }
        self.hours.record(in_service, hour, now);
    }

    /// A month begins, or the clock was set to another month: asks for what is stored of it.
    fn turn_to(&mut self, month: String) {
        // A month without counts is not in memory, and is read anew when it returns.
        if self.hours.month(&self.month).is_empty() {
            self.complete.remove(&self.month);
        }
        if !self.complete.contains(&month) {
            self.ask(&month);
        }
        self.on_disk.clear();
        self.month = month;
    }

    /// Asks the file thread for what is stored of a month. The answer to an earlier question is not used any more.
    fn ask(&mut self, month: &str) {
        let (done, stored) = oneshot::channel();
        let (files, of_month) = (self.files.clone(), month.to_owned());
        // The meter may be gone already, or have asked again.
        let job = move |writer: &mut FileWriter| drop(done.send(read_stored(&files, &of_month, writer)));
        if self.keeper.run(job).is_ok() {
            self.reading.insert(month.to_owned(), stored);
        }
    }

    /// Asks for the months that no answer has come for: the queue was full, or a damaged file could not be kept beside.
    fn ask_again(&mut self) {
        let mut months = self.hours.months();
        months.insert(self.month.clone());
        for month in months {
            if !self.complete.contains(&month) && !self.reading.contains_key(&month) {
                self.ask(&month);
            }
        }
    }

    /// Adds what the file thread has read since the last call.
    fn add_stored(&mut self) {
        for (month, mut stored) in std::mem::take(&mut self.reading) {
            match stored.try_recv() {
                Ok(Ok(rows)) => {
                    if month == self.month {
                        self.on_disk.clone_from(&rows);
                    }
                    self.hours.add_stored(rows);
                    self.complete.insert(month);
                }
                Err(oneshot::error::TryRecvError::Empty) => {
                    self.reading.insert(month, stored);
                }
                // It is asked for again with the next write; the file thread has logged the reason.
                Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => {}
            }
        }
    }

    /// Notes what is on the disk, and removes past months from memory when all their counts are there.
    fn forget_written(&mut self) {
        for (month, rows) in self.written.1.try_iter() {
            if month == self.month {
                self.on_disk = rows;
            } else if self.hours.month(&month) == rows {
                self.hours.forget(&month);
                self.complete.remove(&month);
            }
        }
    }
}

/// Reads a month on the file thread. A damaged file is kept beside before it may be replaced.
fn read_stored(files: &HoursFiles, month: &str, writer: &mut FileWriter) -> Stored {
    let rows = match files.stored(month) {
        Ok(stored) if stored.damaged_lines == 0 => return Ok(stored.rows),
        Ok(stored) => stored.rows,
        Err(error) => {
            tracing::error!(month, %error, "the inference hours of this month cannot be read; they are counted from 0");
            Vec::new()
        }
    };
    writer.set_aside(&files.path(month)).map(|()| rows)
}

fn in_service(metered: Metered) -> Vec<(String, String, usize)> {
    let metered = metered.into_iter();
    metered.map(|(package, units)| (package.model.clone(), package.version.clone(), units)).collect()
}

#[cfg(test)]
mod tests;
