//! The backoff of reconnects: short at first, then one attempt per minute without an end.

/// Seconds to wait after a failure that `failures` others preceded (as go2rtc): 1 s x5, 5 s x5, 10 s x10, then 60 s.
pub fn seconds_before_try(failures: u32) -> u64 {
    match failures {
        0..=4 => 1,
        5..=9 => 5,
        10..=19 => 10,
        _ => 60,
    }
}
