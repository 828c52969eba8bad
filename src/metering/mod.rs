//! Inference hours: the time that units are in service, busy or not, by model and version.
//!
//! `inference_hours` measures it with the monotonic clock. `hours_file` stores it, at most a minute late.

pub(crate) mod hours_file;
pub(crate) mod inference_hours;

pub use hours_file::HoursFiles;
pub(crate) use hours_file::csv;
pub(crate) use inference_hours::{HourRow, InferenceHours, with_newer};

/// The current hour by the wall clock, UTC: `2026-11-24T08`.
pub(crate) fn this_hour() -> String {
    crate::os::clock::rfc3339_utc(crate::os::clock::wall_now_ms()).chars().take(13).collect()
}

/// The current month by the wall clock, UTC: `2026-11`.
pub(crate) fn this_month() -> String {
    month_of(&this_hour())
}

/// The month of an hour: `2026-11` of `2026-11-24T08`.
pub(crate) fn month_of(hour: &str) -> String {
    hour.chars().take(7).collect()
}
