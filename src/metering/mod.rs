//! Inference hours: units in service times time, used or not, by model and version.
//!
//! [`inference_hours`] counts on monotonic time; [`hours_file`] keeps the counts, at most a minute behind.

pub(crate) mod hours_file;
pub(crate) mod inference_hours;

pub use hours_file::HoursFiles;
pub(crate) use hours_file::csv;
pub(crate) use inference_hours::{HourRow, InferenceHours};

/// The hour of the wall clock, UTC: `2026-11-24T08`.
pub(crate) fn this_hour() -> String {
    crate::os::clock::rfc3339_utc(crate::os::clock::wall_now_ms()).chars().take(13).collect()
}

/// The month of the wall clock, UTC: `2026-11`.
pub(crate) fn this_month() -> String {
    month_of(&this_hour())
}

/// The month of an hour.
pub(crate) fn month_of(hour: &str) -> String {
    hour.chars().take(7).collect()
}
