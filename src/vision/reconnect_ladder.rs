//! How long to wait before a lost connection is tried again: soon at first, for ever, and never often for long.

/// Seconds before the n-th try in a row (go2rtc's ladder): 1 s x5, 5 s x5, 10 s x10, then 60 s.
pub fn seconds_before_try(failures: u32) -> u64 {
    match failures {
        0..=4 => 1,
        5..=9 => 5,
        10..=19 => 10,
        _ => 60,
    }
}
