//! When a single picture is asked for again.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// A camera that makes pictures on request is asked at most so often, whatever the settings want: each request is one of a
/// small web server.
const SHORTEST: Duration = Duration::from_millis(200);

/// And at least so often, so that it is known to be alive: more often than any stall is long.
const LONGEST: Duration = Duration::from_secs(2);

/// The pace of requests.
#[derive(Debug)]
pub(super) struct JpegPoll {
    period: Duration,
    asked_at: Option<Monotonic>,
    due: Option<Monotonic>,
}

impl JpegPoll {
    /// For so many frames a second; 0: as many as may be.
    pub(super) fn new(frames_per_second: f32) -> Self {
        Self { period: period(frames_per_second), asked_at: None, due: None }
    }

    /// For so many frames a second from the next request on.
    pub(super) fn change_rate(&mut self, frames_per_second: f32) {
        self.period = period(frames_per_second);
    }

    /// A picture has come whole. The next one is due a period after this one was asked for.
    pub(super) fn came(&mut self, now: Monotonic) {
        self.due = Some(self.asked_at.map_or(now + self.period, |asked_at| asked_at + self.period));
    }

    /// True once when the next picture is to be asked for.
    pub(super) fn is_due(&mut self, now: Monotonic) -> bool {
        self.asked_at.get_or_insert(now);
        let is_due = self.due.is_some_and(|due| now >= due);
        if is_due {
            (self.due, self.asked_at) = (None, Some(now));
        }
        is_due
    }
}

/// Between two requests.
fn period(frames_per_second: f32) -> Duration {
    if frames_per_second <= 0.0 {
        return SHORTEST;
    }
    // One that is next to nothing is no number of seconds.
    Duration::try_from_secs_f32(1.0 / frames_per_second).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    /// Requests in ten seconds, if each picture takes `takes_ms`.
    fn requests(frames_per_second: f32, takes_ms: u64) -> usize {
        let (mut poll, mut comes_at, mut asked) = (JpegPoll::new(frames_per_second), Some(takes_ms), 1);
        for ms in (0..10_000).step_by(10) {
            if poll.is_due(at(ms)) {
                (comes_at, asked) = (Some(ms + takes_ms), asked + 1);
            }
            if comes_at.is_some_and(|due| ms >= due) {
                poll.came(at(ms));
                comes_at = None;
            }
        }
        asked
    }

    #[test]
    fn a_picture_is_asked_for_at_the_wanted_rate_and_never_twice_at_a_time() {
        for (fps, takes_ms, expected) in
            [(1.0, 100, 10), (2.0, 100, 20), (2.0, 1000, 10), (0.0, 10, 50), (30.0, 10, 50)]
        {
            let found = requests(fps, takes_ms);
            assert!(found.abs_diff(expected) <= 2, "{found} requests at {fps} a second, {takes_ms} ms each");
        }
        assert!(
            requests(0.001, 100) >= 4 && requests(f32::MIN_POSITIVE, 100) <= 7,
            "a camera that is to be seen each quarter of an hour is known to be alive"
        );
    }
}
