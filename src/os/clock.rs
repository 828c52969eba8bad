//! The two clocks: decisions use monotonic time, labels use wall time.

use crate::vision::monotonic::Monotonic;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of `CLOCK_MONOTONIC`, comparable between all processes of this boot.
pub fn monotonic_now() -> Monotonic {
    read(ClockId::Monotonic)
}

/// The time of `CLOCK_BOOTTIME`, which goes on while the machine is suspended: for promises to others that do not stop with it.
/// Not comparable with [`monotonic_now`].
pub fn boot_now() -> Monotonic {
    read(ClockId::Boottime)
}

fn read(clock: ClockId) -> Monotonic {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Monotonic::from_nanos(seconds * 1_000_000_000 + nanos)
}

/// The wall time in milliseconds since 1970, for labels only: it can jump.
pub fn wall_now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The first second of the year of this version of ocelli, in milliseconds since 1970: 2026.
const YEAR_OF_THIS_VERSION_MS: i64 = 1_767_225_600_000;

/// True if a wall time lies before this version was made: the box has no battery for its clock, and nobody set it.
pub fn is_plainly_wrong(wall_ms: i64) -> bool {
    wall_ms < YEAR_OF_THIS_VERSION_MS
}

/// Formats milliseconds since 1970 as RFC 3339 in UTC with milliseconds. 1970 if out of range.
pub fn rfc3339_utc(wall_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// When a month such as `2026-11` is over in UTC, in milliseconds since 1970; `None` for what is no month.
pub fn end_of_month_ms(month: &str) -> Option<i64> {
    let first: jiff::civil::Date = format!("{month}-01").parse().ok()?;
    let next = first.checked_add(jiff::Span::new().months(1)).ok()?.to_datetime(jiff::civil::Time::midnight());
    Some(jiff::tz::Offset::UTC.to_timestamp(next).ok()?.as_millisecond())
}

/// Formats milliseconds since 1970 as an HTTP date (RFC 9110), such as `Tue, 24 Nov 2026 08:15:30 GMT`.
pub fn http_date(wall_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(wall_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    // Fails only for years beyond 9999.
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
}

/// Parses the basic form of ISO 8601, such as `20261124T002820Z`. Returns milliseconds since 1970.
pub fn unix_ms_of_basic_time(text: &str) -> Option<i64> {
    let time = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?.to_datetime().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_millisecond())
}

/// Whether the wall clock is synchronised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WallClock {
    /// A time service disciplines it.
    Synchronized,
    /// The kernel reports that it is not synchronised.
    Unsynchronized,
    /// `adjtimex` is not permitted, and systemd-timesyncd has left no mark.
    Unknown,
}

/// Asks the kernel (`adjtimex`) and looks for the mark of systemd-timesyncd. A sandbox may refuse `adjtimex`; then only
/// the mark counts.
pub fn wall_clock() -> WallClock {
    let has_mark = Path::new("/run/systemd/timesync/synchronized").exists();
    match (kernel_says_synchronized(), has_mark) {
        (Some(true), _) | (_, true) => WallClock::Synchronized,
        (Some(false), false) => WallClock::Unsynchronized,
        (None, false) => WallClock::Unknown,
    }
}

/// True if the wall clock is known to be synchronised.
pub fn is_wall_clock_synchronized() -> bool {
    wall_clock() == WallClock::Synchronized
}

#[expect(unsafe_code, reason = "rustix has no adjtimex")]
fn kernel_says_synchronized() -> Option<bool> {
    // SAFETY: `timex` is plain integers, for which all zeroes are valid; `modes` 0 makes the call read-only,
    // and it writes nothing but the struct it is given, which lives across the call.
    let state = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut timex)
    };
    (state >= 0).then_some(state != libc::TIME_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_over_when_the_next_one_begins() {
        let end = |month: &str| end_of_month_ms(month).map(rfc3339_utc);
        assert_eq!(end("2026-11").as_deref(), Some("2026-12-01T00:00:00.000Z"));
        assert_eq!(end("2026-12").as_deref(), Some("2027-01-01T00:00:00.000Z"));
        assert_eq!((end("2026-13"), end("")), (None, None));
    }

    #[test]
    fn basic_times_are_read() {
        assert_eq!(unix_ms_of_basic_time("19700102T000001Z"), Some(86_401_000));
        assert_eq!(unix_ms_of_basic_time("20261324T002820Z"), None);
        assert_eq!(unix_ms_of_basic_time(""), None);
    }

    #[test]
    fn a_clock_that_begins_in_1970_is_plainly_wrong() {
        assert_eq!(rfc3339_utc(YEAR_OF_THIS_VERSION_MS), "2026-01-01T00:00:00.000Z");
        assert!(is_plainly_wrong(0) && is_plainly_wrong(YEAR_OF_THIS_VERSION_MS - 1));
        assert!(!is_plainly_wrong(wall_now_ms()));
    }

    #[test]
    fn times_are_written_as_http_has_them() {
        assert_eq!(http_date(1_795_508_130_123), "Tue, 24 Nov 2026 08:15:30 GMT");
    }

    #[test]
    fn monotonic_time_never_goes_back() {
        let earlier = monotonic_now();
        assert!(monotonic_now() >= earlier);
    }
}
