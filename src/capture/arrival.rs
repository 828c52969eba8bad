//! When a frame arrived, and when its camera says that it was taken.

use crate::vision::monotonic::Monotonic;

/// Seconds from the epoch of NTP (1900) to that of Unix (1970), RFC 5905.
const NTP_TO_UNIX_MS: i64 = 2_208_988_800_000;

/// The times of one frame.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Arrival {
    /// When its last packet arrived, by the clock of the box.
    pub(super) at: Monotonic,
    /// When it was taken, by the clock of the camera: milliseconds since 1970. Only if the camera sends RTCP sender reports.
    pub(super) camera_ms: Option<i64>,
    /// Its place on the timeline of the live video, in microseconds.
    pub(super) media_us: u64,
}

/// Milliseconds since 1970 of an NTP time in nanoseconds since 1900. `None` before 1971: such a clock was never set.
pub(super) fn unix_ms(ntp_ns: u64) -> Option<i64> {
    let ms = i64::try_from(ntp_ns / 1_000_000).ok()? - NTP_TO_UNIX_MS;
    (ms > 365 * 86_400_000).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_camera_is_turned_into_unix_time_if_it_was_ever_set() {
        // 2026-11-28T21:53:23.298 UTC.
        assert_eq!(unix_ms(4004891603298428999), Some(1795902803298));
        assert_eq!(unix_ms(0), None);
        assert_eq!(unix_ms(2_208_988_800_000_000_000), None);
    }
}
