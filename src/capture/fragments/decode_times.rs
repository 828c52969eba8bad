//! When each frame is to be decoded. Cameras only say when it is to be shown.
//!
//! Frames come in the order of decoding, so their times must rise in it, and none may be later than the time at which the
//! frame is shown. So a frame is decoded [`LEAD_US`] before it is shown, and at least a tick after the frame before: with B-frames the
//! times of showing fall, by no more than a few frames. A long lead costs nothing: browsers show a frame at its time of showing,
//! and look at the times of decoding for two things, order and gaps. After a gap of more than twice the duration of a
//! frame Media Source Extensions drop everything up to the next keyframe, so a time never lies farther behind the one before,
//! and catches up frame by frame.

/// So much earlier than it is shown a frame is decoded: longer than the reach of B-frames at 5 frames a second.
pub(in crate::capture) const LEAD_US: u64 = 1_000_000;

/// The duration of a frame before two have come, and the bounds of what is learnt.
const FIRST_DURATION_US: u64 = 40_000;
const SHORTEST_US: u64 = 1_000;
const LONGEST_US: u64 = 10_000_000;

/// The times of one frame in microseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FrameTimes {
    pub(super) decode_us: u64,
    pub(super) show_us: u64,
    /// The usual time from a frame to the next: how long this one lasts is known when the next has come.
    pub(super) duration_us: u64,
}

/// Gives the frames of one stream their times.
#[derive(Debug, Default)]
pub(super) struct DecodeTimes {
    before: Option<FrameTimes>,
    /// The latest time of showing, and the frames since.
    latest_us: u64,
    since_latest: u64,
    interval_us: Option<u64>,
}

impl DecodeTimes {
    /// The times of the next frame, which is shown at `show_us`.
    pub(super) fn next(&mut self, show_us: u64) -> FrameTimes {
        self.learn(show_us);
        let wanted = show_us.saturating_sub(LEAD_US);
        let decode_us = match self.before {
            None => wanted,
            Some(before) => wanted.clamp(before.decode_us + 1, before.decode_us + 2 * before.duration_us),
        };
        let duration_us = self.interval_us.unwrap_or(FIRST_DURATION_US);
        let times = FrameTimes { decode_us, show_us, duration_us };
        self.before = Some(times);
        times
    }

    fn learn(&mut self, show_us: u64) {
        self.since_latest += 1;
        if show_us <= self.latest_us {
            return;
        }
        if self.before.is_some() {
            let step = ((show_us - self.latest_us) / self.since_latest).clamp(SHORTEST_US, LONGEST_US);
            self.interval_us = Some(self.interval_us.map_or(step, |interval| (7 * interval + step) / 8));
        }
        (self.latest_us, self.since_latest) = (show_us, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times that any browser takes: rising, before the time of showing, without a gap.
    fn check(shown_ms: impl IntoIterator<Item = u64>) -> Vec<FrameTimes> {
        let mut times = DecodeTimes::default();
        let all: Vec<FrameTimes> = shown_ms.into_iter().map(|ms| times.next(ms * 1000)).collect();
        for pair in all.windows(2) {
            let step = pair[1].decode_us - pair[0].decode_us;
            assert!(pair[1].decode_us > pair[0].decode_us && step <= 2 * pair[0].duration_us, "{pair:?}");
            assert!(pair[1].decode_us <= pair[1].show_us, "{pair:?}");
        }
        all
    }

    #[test]
    fn frames_in_the_order_of_showing_keep_their_distances() {
        let all = check((0..50).map(|frame| 5_000 + frame * 40));
        assert!(all.iter().all(|times| times.show_us - times.decode_us == LEAD_US));
        assert!(all.iter().skip(1).all(|times| times.duration_us == 40_000));
    }

    #[test]
    fn b_frames_of_two_levels_stay_in_their_order_at_25_and_at_5_frames_a_second() {
        for interval in [40, 200] {
            let groups = (0..30).flat_map(|group| [4, 2, 1, 3].map(|place| 4 * group + place));
            let all = check([0].into_iter().chain(groups).map(|frame| 5_000 + frame * interval));
            let last = all.last().unwrap();
            assert!(last.duration_us.abs_diff(interval * 1000) <= interval * 100, "{last:?}");
        }
    }

    #[test]
    fn after_a_gap_times_catch_up_without_one() {
        let all = check((0..200).map(|frame| 5_000 + frame * 40 + if frame > 50 { 3_000 } else { 0 }));
        assert!(all[51].show_us - all[51].decode_us > 3 * LEAD_US);
        let last = all.last().unwrap();
        assert_eq!(last.show_us - last.decode_us, LEAD_US);
    }

    #[test]
    fn equal_times_and_the_very_first_ones_are_taken() {
        check([2_000, 2_000, 2_000, 2_040]);
        assert_eq!(DecodeTimes::default().next(5).decode_us, 0);
    }
}
