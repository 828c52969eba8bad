//! Which of the decoded frames are handed over.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A lower rate is a frame an hour: the period of one that is next to nothing is no number of seconds.
const LONGEST_PERIOD: Duration = Duration::from_secs(3600);

/// An even pace through a stream of any rate.
#[derive(Debug)]
pub(super) struct Sampler {
    period: Option<Duration>,
    due: Option<Monotonic>,
}

impl Sampler {
    /// 0 frames a second: each one.
    pub(super) fn new(frames_per_second: f32) -> Self {
        Self { period: period(frames_per_second), due: None }
    }

    /// Another rate from `now` on. The next frame is due when it was, or a period of the new rate from now, whichever
    /// comes first: a camera that was throttled to a frame a minute must not wait for that minute to end.
    pub(super) fn change_rate(&mut self, frames_per_second: f32, now: Monotonic) {
        self.period = period(frames_per_second);
        self.due = match (self.due, self.period) {
            (Some(due), Some(period)) => Some(due.min(now + period)),
            _ => None,
        };
    }

    /// What [`Self::is_due`] would say, without a change.
    pub(super) fn would_be_due(&self, now: Monotonic) -> bool {
        let (Some(period), Some(due)) = (self.period, self.due) else { return true };
        now + period / 4 >= due
    }

    /// True if a frame that is decoded at `now` is to be handed over.
    ///
    /// The next one is due a period after this one was *due*, not after it came, so that jitter does not add
    /// up; after a pause the pace starts anew. A frame that comes a quarter of a period early counts, or a
    /// camera whose rate is the wanted one would lose every second frame to jitter.
    pub(super) fn is_due(&mut self, now: Monotonic) -> bool {
        let Some(period) = self.period else { return true };
        if !self.would_be_due(now) {
            return false;
        }
        let due = self.due.unwrap_or(now);
        let next = due + period;
        self.due = Some(if now > next { now + period } else { next });
        true
    }
}

/// Between two frames; none: each one is due.
fn period(frames_per_second: f32) -> Option<Duration> {
    let period = || Duration::try_from_secs_f64(1.0 / f64::from(frames_per_second));
    (frames_per_second > 0.0).then(|| period().map_or(LONGEST_PERIOD, |period| period.min(LONGEST_PERIOD)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of ten seconds of a stream with `jitter_ms` are handed over.
    fn count(stream_fps: u64, wanted: f32, jitter_ms: u64) -> usize {
        let mut sampler = Sampler::new(wanted);
        let frames = (0..10 * stream_fps).map(|frame| frame * 1000 / stream_fps + (frame * 7919) % (jitter_ms + 1));
        frames.filter(|ms| sampler.is_due(Monotonic::from_nanos(ms * 1_000_000))).count()
    }

    #[test]
    fn the_wanted_rate_is_kept_whatever_the_stream_does() {
        assert_eq!(count(25, 0.0, 0), 250);
        for (stream, wanted, jitter, expected) in
            [(25, 5.0, 0, 50), (25, 5.0, 30, 50), (30, 7.0, 20, 70), (10, 10.0, 40, 100)]
        {
            let found = count(stream, wanted, jitter);
            assert!(found.abs_diff(expected) <= 2, "{found} of {expected} at {stream} fps with {jitter} ms of jitter");
        }
        assert_eq!(count(10, 25.0, 0), 100, "there are no more than the stream has");
    }

    #[test]
    fn after_a_pause_there_is_no_burst() {
        let mut sampler = Sampler::new(5.0);
        let at = |ms: u64| Monotonic::from_nanos(ms * 1_000_000);
        assert!(sampler.is_due(at(0)));
        assert!(sampler.is_due(at(10_000)));
        assert!(!sampler.is_due(at(10_040)));
        assert!(sampler.is_due(at(10_200)));
    }

    #[test]
    fn a_throttle_that_is_lifted_does_not_hold_the_next_frame_back() {
        let at = |ms: u64| Monotonic::from_nanos(ms * 1_000_000);
        let mut sampler = Sampler::new(5.0);
        assert!(sampler.is_due(at(0)));
        // One frame in fifty seconds.
        sampler.change_rate(0.02, at(100));
        assert!(sampler.is_due(at(200)), "what was due stays due");
        assert!(!sampler.is_due(at(1_000)));
        sampler.change_rate(5.0, at(1_000));
        assert!(!sampler.is_due(at(1_040)) && sampler.is_due(at(1_200)));
        // Setting the same rate again and again brings no frame forward and holds none back.
        for step in 0..10 {
            sampler.change_rate(5.0, at(1_210 + step * 10));
        }
        assert!(!sampler.is_due(at(1_310)) && sampler.is_due(at(1_400)));
        sampler.change_rate(0.02, at(1_500));
        assert!(sampler.is_due(at(1_600)));
        sampler.change_rate(0.0, at(1_700));
        assert!(sampler.is_due(at(1_701)));
        sampler.change_rate(1.0, at(1_800));
        assert!(sampler.is_due(at(1_801)), "the pace begins with the first frame");
    }

    #[test]
    fn a_rate_next_to_nothing_is_a_frame_an_hour() {
        let mut sampler = Sampler::new(1e-40);
        let at = |seconds: u64| Monotonic::from_nanos(seconds * 1_000_000_000);
        assert!(sampler.is_due(at(1)));
        sampler.change_rate(f32::MIN_POSITIVE, at(2));
        assert!(!sampler.is_due(at(600)) && sampler.is_due(at(3601)));
    }

    #[test]
    fn a_changed_rate_is_kept_from_the_next_frame_on() {
        let mut sampler = Sampler::new(0.0);
        let mut count = |from: u64| {
            let frames = (from..from + 10_000).step_by(40).map(|ms| Monotonic::from_nanos(ms * 1_000_000));
            let due = frames.filter(|at| sampler.is_due(*at)).count();
            sampler.change_rate(5.0, Monotonic::from_nanos((from + 10_000) * 1_000_000));
            due
        };
        assert_eq!(count(0), 250);
        assert!((49..=51).contains(&count(10_000)));
    }
}
