//! A token bucket: how often something may happen, and how often at once after a quiet time.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The bucket. Rate and capacity are given with each use, since they may follow what is measured.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    tokens: f64,
    filled_at: Monotonic,
}

impl TokenBucket {
    /// A bucket with so many tokens in it.
    pub fn new(tokens: f64, now: Monotonic) -> Self {
        Self { tokens, filled_at: now }
    }

    /// Puts tokens in beside those that come with time. What is above the capacity goes when one is taken.
    pub fn add(&mut self, tokens: f64) {
        self.tokens += tokens;
    }

    /// Takes a token out of a bucket that gets `rate` of them a second and holds `capacity`.
    ///
    /// # Errors
    /// How long it takes until there is one, an hour at most, when there is none now.
    pub fn take(&mut self, rate: f64, capacity: f64, now: Monotonic) -> Result<(), Duration> {
        let filled = self.tokens + rate * now.since(self.filled_at).as_secs_f64();
        (self.tokens, self.filled_at) = (filled.min(capacity), now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - self.tokens) / rate.max(1e-3)).min(3600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn what_it_holds_at_once_and_then_the_rate() {
        let mut bucket = TokenBucket::new(10.0, at(0));
        assert_eq!((0..50).filter(|_| bucket.take(10.0, 10.0, at(0)).is_ok()).count(), 10);
        let wait = bucket.take(10.0, 10.0, at(0)).unwrap_err();
        assert_eq!(wait.as_millis(), 100);
        let taken = (0..10_000).filter(|ms| bucket.take(10.0, 10.0, at(*ms)).is_ok()).count();
        assert!((99..=100).contains(&taken), "{taken} in ten seconds");
    }

    #[test]
    fn what_is_put_in_counts_up_to_the_capacity() {
        let mut bucket = TokenBucket::new(0.0, at(0));
        bucket.add(100.0);
        assert_eq!((0..50).filter(|_| bucket.take(1.0, 5.0, at(0)).is_ok()).count(), 5);
    }
}
