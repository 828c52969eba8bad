//! Where each frame of a connection lies on the timeline of its live video.
//!
//! The timeline is the box's monotonic clock in microseconds, so that a camera that comes back goes on later on it. A frame lies
//! where its own time says, which keeps the distances that the camera meant; that time is moved once, to where the first
//! frame arrived, and again when it jumps. Every frame has its time from here, watched or not: its fragment and the message
//! that announces it say the same.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// So far the frames' own times may lie from their arrival. A camera may send some seconds at once when it starts.
const FARTHEST_US: i64 = 10_000_000;

/// After a jump the timeline goes on so much later.
const STEP_US: i64 = 1_000;

/// The timeline of one connection.
#[derive(Debug, Default)]
pub(super) struct MediaClock {
    /// From a frame's own time to the timeline.
    offset_us: Option<i64>,
    latest_us: i64,
}

impl MediaClock {
    /// The place of the next frame in the order of decoding, in microseconds. `own`: what the stream says of it.
    pub(super) fn place(&mut self, own: Option<Duration>, is_keyframe: bool, arrived_at: Monotonic) -> u64 {
        let arrived_us = i64::try_from(arrived_at.as_nanos() / 1_000).unwrap_or(i64::MAX);
        let own_us = own.and_then(|own| i64::try_from(own.as_micros()).ok());
        let by_itself = own_us.zip(self.offset_us).map(|(own, offset)| own.saturating_add(offset));
        // B-frames lie before frames that came before them, but a keyframe lies behind them all.
        let fits =
            |us: &i64| us.abs_diff(arrived_us) <= FARTHEST_US.unsigned_abs() && !(is_keyframe && *us <= self.latest_us);
        let place = by_itself.filter(fits).unwrap_or_else(|| {
            let place = if self.latest_us == 0 { arrived_us } else { arrived_us.max(self.latest_us + STEP_US) };
            self.offset_us = own_us.map(|own| place - own).or(self.offset_us);
            place
        });
        self.latest_us = self.latest_us.max(place);
        u64::try_from(place).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(frames: &[(Option<u64>, bool, u64)]) -> Vec<u64> {
        let mut clock = MediaClock::default();
        let place = |(own, is_keyframe, arrived): &(Option<u64>, bool, u64)| {
            let own = own.map(Duration::from_millis);
            clock.place(own, *is_keyframe, Monotonic::from_nanos(arrived * 1_000_000)) / 1000
        };
        frames.iter().map(place).collect()
    }

    #[test]
    fn frames_keep_their_own_distances_however_they_arrive() {
        let frames =
            [(Some(0), true, 5_000), (Some(160), false, 5_300), (Some(80), false, 5_301), (Some(40), false, 5_302)];
        assert_eq!(run(&frames), [5_000, 5_160, 5_080, 5_040]);
    }

    #[test]
    fn a_time_that_jumps_or_begins_again_goes_on_where_the_frame_arrived() {
        let frames =
            [(Some(0), true, 5_000), (Some(40), false, 5_040), (Some(0), true, 5_080), (Some(40), false, 5_121)];
        assert_eq!(run(&frames), [5_000, 5_040, 5_080, 5_120]);
        let jump = [(Some(0), true, 5_000), (Some(3_600_000), false, 5_040), (Some(3_600_040), false, 5_090)];
        assert_eq!(run(&jump), [5_000, 5_040, 5_080]);
    }

    #[test]
    fn a_burst_at_the_start_is_taken_and_a_round_behind_it_stays_behind_it() {
        let frames = [(Some(0), true, 5_000), (Some(4_000), false, 5_010), (Some(0), true, 5_020)];
        assert_eq!(run(&frames), [5_000, 9_000, 9_001]);
    }

    #[test]
    fn frames_without_a_time_lie_where_they_arrive_and_never_on_each_other() {
        let frames = [(None, true, 5_000), (None, false, 5_033), (None, false, 5_033), (Some(7), false, 5_100)];
        assert_eq!(run(&frames), [5_000, 5_033, 5_034, 5_100]);
    }
}
