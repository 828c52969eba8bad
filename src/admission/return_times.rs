//! When refused callers may come back: each is told of a place of its own.
//!
//! Callers that are refused together and told the same time come back together, and all but a few are refused again. So the
//! places that were given out and are not free yet are remembered; they become free at the throughput of the model.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// No place is given out later than this: callers that come back earlier, or never, leave theirs empty, and must not keep those
/// waiting who obey. boto3 obeys up to five seconds beyond its own delay.
const LATEST: Duration = Duration::from_secs(5);

/// The places that were given out.
#[derive(Debug, Default)]
pub struct ReturnTimes {
    /// Transactions of callers who were told to come back and whose time has not come, at `as_of`.
    given_out: f64,
    as_of: Option<Monotonic>,
}

impl ReturnTimes {
    /// Gives out the next place, for work of so many transactions at a throughput of `tps` a second, and returns when it is
    /// free, counted from when the first one would be.
    pub(crate) fn give_out(&mut self, transactions: u32, tps: f64, now: Monotonic) -> Duration {
        let tps = tps.max(1e-3);
        self.given_out = self.awaited(tps, now);
        self.as_of = Some(now);
        let ahead = (self.given_out / tps).min(LATEST.as_secs_f64());
        self.given_out = (self.given_out + f64::from(transactions)).min(LATEST.as_secs_f64() * tps);
        Duration::from_secs_f64(ahead)
    }

    /// Transactions of callers who were told to come back and whose time has not come.
    pub(crate) fn awaited(&self, tps: f64, now: Monotonic) -> f64 {
        let passed = self.as_of.map_or(Duration::ZERO, |as_of| now.since(as_of));
        (self.given_out - passed.as_secs_f64() * tps).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn callers_who_are_refused_together_are_told_of_places_one_after_the_other() {
        let mut times = ReturnTimes::default();
        let told: Vec<u128> = (0..4).map(|_| times.give_out(1, 10.0, at(0)).as_millis()).collect();
        assert_eq!(told, [0, 100, 200, 300]);
        assert_eq!(times.give_out(5, 10.0, at(250)).as_millis(), 150, "two and a half have become free");
        assert_eq!(times.give_out(1, 10.0, at(250)).as_millis(), 650, "five transactions take half a second");
        assert!((times.awaited(10.0, at(500)) - 5.0).abs() < 1e-9);
        assert_eq!(times.give_out(1, 10.0, at(60_000)).as_millis(), 0);
    }

    #[test]
    fn nobody_is_told_to_wait_for_ever() {
        let mut times = ReturnTimes::default();
        let latest = (0..10_000).map(|_| times.give_out(1, 10.0, at(0))).max();
        assert_eq!(latest, Some(LATEST));
        assert_eq!(times.give_out(1, 0.0, at(0)), LATEST);
    }
}
