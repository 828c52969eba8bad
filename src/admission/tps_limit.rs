//! A limit of transactions a second: a token bucket that holds one second's worth.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The bucket.
#[derive(Clone, Debug)]
pub struct TpsLimit {
    balance: f64,
    filled_at: Monotonic,
}

impl TpsLimit {
    /// A full bucket.
    pub fn new(tps: f64, now: Monotonic) -> Self {
        Self { balance: burst(tps), filled_at: now }
    }

    /// Takes one transaction out where `tps` a second are allowed.
    ///
    /// # Errors
    /// How long it takes until there is one, when there is none now.
    pub fn take(&mut self, tps: f64, now: Monotonic) -> Result<(), Duration> {
        let filled = self.balance + tps * now.since(self.filled_at).as_secs_f64();
        (self.balance, self.filled_at) = (filled.min(burst(tps)), now);
        if self.balance >= 1.0 {
            self.balance -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - self.balance) / tps.max(1e-3)).min(3600.0)))
    }
}

/// At least one: a limit below one a second allows bursts of one.
fn burst(tps: f64) -> f64 {
    tps.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_second_of_burst_and_then_the_rate() {
        let mut limit = TpsLimit::new(10.0, at(0));
        assert_eq!((0..50).filter(|_| limit.take(10.0, at(0)).is_ok()).count(), 10);
        let wait = limit.take(10.0, at(0)).unwrap_err();
        assert_eq!(wait.as_millis(), 100);
        let taken = (0..10_000).filter(|ms| limit.take(10.0, at(*ms)).is_ok()).count();
        assert!((99..=100).contains(&taken), "{taken} in ten seconds");
    }
}
