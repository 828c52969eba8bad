//! The times in messages.

/// Seconds since midnight of a time such as `2026-11-30T01:23:45.678Z`.
pub(crate) fn seconds_of_day(time: &str) -> f64 {
    let clock = time.split_once('T').unwrap().1.trim_end_matches('Z');
    clock.split(':').fold(0.0, |seconds, part| 60.0 * seconds + part.parse::<f64>().unwrap())
}
