//! The usual gap between frames, and how long an object may be unseen because of it.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The number of recent gaps that the usual gap is taken from.
const GAPS: usize = 5;

/// An object is not lost before this many frames without it, however slow they are. With keyframes only there may be one
/// frame in four seconds, and one miss of the detector proves nothing.
const MIN_FRAMES: u32 = 3;

/// The most that slow frames can prolong the time.
const LONGEST: Duration = Duration::from_secs(30);

/// The time of the newest frame, and the gaps before it.
#[derive(Clone, Debug, Default)]
pub(super) struct FramePace {
    newest: Option<Monotonic>,
    gaps: [Duration; GAPS],
    /// How many of `gaps` are filled.
    filled: usize,
    next: usize,
}

impl FramePace {
    /// Records a frame. Returns false if it is not newer than the newest one.
    pub(super) fn advance(&mut self, at: Monotonic) -> bool {
        if let Some(newest) = self.newest {
            if at <= newest {
                return false;
            }
            self.gaps[self.next] = at.since(newest);
            self.next = (self.next + 1) % GAPS;
            self.filled = (self.filled + 1).min(GAPS);
        }
        self.newest = Some(at);
        true
    }

    /// Discards the gaps. Frames captured up to `now` still count as too old.
    pub(super) fn restart(&mut self, now: Monotonic) {
        *self = Self { newest: self.newest.max(Some(now)), ..Self::default() };
    }

    /// How long an object may be unseen: `wanted`, or longer if frames are far apart.
    pub(super) fn lost_after(&self, wanted: Duration) -> Duration {
        wanted.max((MIN_FRAMES * self.usual_gap()).min(LONGEST))
    }

    /// `wanted`, but one frame at least, however far apart they are.
    pub(super) fn at_least_a_frame(&self, wanted: Duration) -> Duration {
        wanted.max(self.usual_gap() * 3 / 2)
    }

    /// The median gap. Neither one outage nor a few shed frames change it much.
    fn usual_gap(&self) -> Duration {
        let mut gaps = self.gaps;
        let filled = &mut gaps[..self.filled];
        filled.sort_unstable();
        filled.get(self.filled / 2).copied().unwrap_or_default().min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Duration = Duration::from_secs(2);

    fn pace(gaps_ms: &[u64]) -> FramePace {
        let mut pace = FramePace::default();
        let mut now = Monotonic::from_nanos(1);
        pace.advance(now);
        for gap in gaps_ms {
            now = now + Duration::from_millis(*gap);
            assert!(pace.advance(now));
        }
        pace
    }

    #[test]
    fn keyframes_far_apart_prolong_the_time_and_one_outage_does_not() {
        assert_eq!(pace(&[]).lost_after(WANTED), WANTED);
        assert_eq!(pace(&[200; 9]).lost_after(WANTED), WANTED);
        assert_eq!(pace(&[4000]).lost_after(WANTED), Duration::from_secs(12));
        assert_eq!(pace(&[200, 200, 200, 60_000, 200]).lost_after(WANTED), WANTED);
        assert_eq!(pace(&[3_600_000; 3]).lost_after(WANTED), LONGEST);
    }

    #[test]
    fn the_frame_before_is_recent_however_slow_frames_are() {
        let half = Duration::from_millis(500);
        assert_eq!(pace(&[]).at_least_a_frame(half), half);
        assert_eq!(pace(&[100; 5]).at_least_a_frame(half), half);
        assert_eq!(pace(&[4000; 5]).at_least_a_frame(half), Duration::from_secs(6));
    }

    #[test]
    fn a_frame_that_is_not_newer_is_refused() {
        let mut pace = pace(&[200]);
        assert!(!pace.advance(Monotonic::from_nanos(1)));
        assert!(!pace.advance(Monotonic::from_nanos(200_000_001)));
        pace.restart(Monotonic::from_nanos(900_000_000));
        assert!(!pace.advance(Monotonic::from_nanos(900_000_000)));
        assert!(pace.advance(Monotonic::from_nanos(900_000_001)));
    }
}
