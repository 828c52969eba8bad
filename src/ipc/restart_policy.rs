//! Backoff before a dead process is restarted, reset by a healthy run.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Backoff in milliseconds after the n-th death in a row. The last value repeats.
const LADDER_MS: [u64; 8] = [200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

/// A process that ran this long and finished this many items was healthy. Its death is not part of a crash loop, so the
/// backoff starts again. At worst, with one death every five seconds, 4 % of the time is lost.
const HEALTHY_AFTER: Duration = Duration::from_secs(5);
const HEALTHY_ITEMS: u64 = 20;

/// Counts consecutive deaths of one process and its replacements.
#[derive(Clone, Debug, Default)]
pub struct RestartPolicy {
    deaths_in_row: usize,
}

impl RestartPolicy {
    /// True if the process has died several times without a healthy run in between.
    pub fn is_crash_loop(&self) -> bool {
        self.deaths_in_row > 1
    }

    /// Returns when the process may be restarted. `ready_since` and `items_done` belong to the process that just died.
    pub fn died(&mut self, ready_since: Option<Monotonic>, items_done: u64, now: Monotonic) -> Monotonic {
        let was_healthy =
            ready_since.is_some_and(|since| now.since(since) >= HEALTHY_AFTER) && items_done >= HEALTHY_ITEMS;
        if was_healthy {
            self.deaths_in_row = 0;
        }
        let step = self.deaths_in_row.min(LADDER_MS.len() - 1);
        self.deaths_in_row += 1;
        now + Duration::from_millis(LADDER_MS[step])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_grows_in_a_crash_loop_and_a_healthy_run_resets_it() {
        let mut policy = RestartPolicy::default();
        let now = Monotonic::from_nanos(1_000_000_000_000);
        let waits: Vec<u128> = (0..9).map(|_| policy.died(None, 0, now).since(now).as_millis()).collect();
        assert_eq!(waits, [200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000]);
        let long_ago = Monotonic::from_nanos(1);
        assert_eq!(policy.died(Some(long_ago), 19, now).since(now).as_millis(), 60_000);
        assert!(policy.is_crash_loop());
        assert_eq!(policy.died(Some(long_ago), 20, now).since(now).as_millis(), 200);
        assert!(!policy.is_crash_loop());
    }
}
