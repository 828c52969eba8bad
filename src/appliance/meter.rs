//! Reads the meter of inference hours and keeps it on disk, off the loop.

use crate::metering::{HourRow, HoursFiles, InferenceHours, month_of, this_hour, this_month};
use crate::supervisor::Fleet;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the counts go to disk: what a power cut may cost.
const KEEP_PERIOD: Duration = Duration::from_secs(60);

/// The meter of the box.
#[derive(Debug)]
pub(super) struct Meter {
    hours: InferenceHours,
    files: HoursFiles,
    kept_at: Monotonic,
    writing: Option<JoinHandle<()>>,
}

impl Meter {
    /// Goes on from what is kept of this month.
    pub(super) fn load(files: HoursFiles, now: Monotonic) -> Self {
        let rows = files.read(&this_month()).unwrap_or_else(|error| {
            tracing::error!(%error, "the inference hours of this month cannot be read; they begin anew");
            Vec::new()
        });
        Self { hours: InferenceHours::from_rows(rows), files, kept_at: now, writing: None }
    }

    /// Looks at what is in service, and keeps the counts once a minute.
    pub(super) fn look(&mut self, fleet: &Fleet, now: Monotonic) {
        let in_service = fleet.metered().into_iter();
        let named = in_service.map(|(package, units)| (package.model.clone(), package.version.clone(), units));
        let hour = this_hour();
        self.hours.look(named.collect(), &hour, now);
        let is_idle = self.writing.as_ref().is_none_or(JoinHandle::is_finished);
        if now.since(self.kept_at) >= KEEP_PERIOD && is_idle {
            self.kept_at = now;
            let (files, months) = (self.files.clone(), self.months(&hour));
            // A slow card may take seconds: nobody waits for it.
            self.writing = Some(tokio::task::spawn_blocking(move || write(&files, &months)));
        }
    }

    /// Keeps the counts now: the last thing before the end.
    pub(super) fn close(&mut self, fleet: &Fleet, now: Monotonic) {
        self.look(fleet, now);
        let months = self.months(&this_hour());
        write(&self.files, &months);
    }

    /// Inference hours by model and version.
    pub(super) fn totals(&self) -> BTreeMap<(String, String), f64> {
        self.hours.totals()
    }

    /// Rows of this month and of the one whose last hour may still be unwritten.
    fn months(&mut self, hour: &str) -> Vec<(String, Vec<HourRow>)> {
        let current = month_of(hour);
        let latest = self.hours.latest_before(&current).map_or_else(|| current.clone(), |hour| month_of(&hour));
        self.hours.keep_months([&current, &latest]);
        let mut months = vec![latest, current];
        months.dedup();
        months
            .into_iter()
            .map(|month| (month.clone(), self.hours.month(&month)))
            .filter(|(_, rows)| !rows.is_empty())
            .collect()
    }
}

fn write(files: &HoursFiles, months: &[(String, Vec<HourRow>)]) {
    for (month, rows) in months {
        if let Err(error) = files.write(month, rows) {
            tracing::error!(month, %error, "the inference hours cannot be kept; they are tried again in a minute");
        }
    }
}
