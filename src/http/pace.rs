//! How slowly a body may pass, in either direction. Who is slower holds a place, or memory, that others wait for.

use std::time::Duration;
use tokio::time::Instant;

/// What a body must average once its slow start is over.
const MIN_BYTES_PER_SECOND: f64 = 32.0 * 1024.0;

/// The pace of one body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    begun: Instant,
    slow_start: Duration,
    bytes: u64,
}

impl Pace {
    /// Begins now. For as long as `slow_start` nothing need pass.
    pub(super) fn begin(slow_start: Duration) -> Self {
        Self { begun: Instant::now(), slow_start, bytes: 0 }
    }

    /// Counts bytes that have passed.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Leaves out a time that was not the client's.
    pub(super) fn excuse(&mut self, time: Duration) {
        self.begun += time;
    }

    /// When the body began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// Until when more must have passed. Who was fast may pause.
    pub(super) fn limit(&self) -> Instant {
        self.begun + self.slow_start + Duration::from_secs_f64(self.bytes as f64 / MIN_BYTES_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_may_begin_slowly_and_pause_once_it_was_fast() {
        let (mut pace, begun) = (Pace::begin(Duration::from_secs(2)), Instant::now());
        assert_eq!(pace.limit() - begun, Duration::from_secs(2));
        pace.passed(1 << 20);
        assert_eq!(pace.limit() - begun, Duration::from_secs(34));
        pace.excuse(Duration::from_secs(5));
        assert_eq!(pace.limit() - begun, Duration::from_secs(39));
    }
}
