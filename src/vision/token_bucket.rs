//! A token bucket: limits a rate, and allows a burst after a quiet time.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The bucket. Rate and capacity are arguments of each call, because they may change with measurements.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    tokens: f64,
    filled_at: Monotonic,
}

impl TokenBucket {
    /// A bucket that holds `tokens`.
    pub fn new(tokens: f64, now: Monotonic) -> Self {
        Self { tokens, filled_at: now }
    }

    /// Adds tokens to those that accrue with time. The next take cuts the sum to the capacity.
    pub fn add(&mut self, tokens: f64) {
        self.tokens += tokens;
    }

    /// Takes a token from a bucket that gains `rate` tokens per second and holds at most `capacity`.
    ///
    /// # Errors
    /// The time until a token is available, an hour at most.
    pub fn take(&mut self, rate: f64, capacity: f64, now: Monotonic) -> Result<(), Duration> {
        self.take_many(1.0, rate, capacity, now)
    }

    /// Takes several tokens at once. More than `capacity` are possible if the bucket is full, and leave a negative
    /// balance: so an expensive request is possible, and the mean rate holds.
    ///
    /// # Errors
    /// The time until enough tokens are available, an hour at most.
    pub fn take_many(&mut self, tokens: f64, rate: f64, capacity: f64, now: Monotonic) -> Result<(), Duration> {
        self.take_leaving(0.0, tokens, rate, capacity, now)
    }

    /// Takes several tokens at once, if so many are `left` for others, or the bucket is full.
    ///
    /// # Errors
    /// As of [`Self::take_many`]: the time for which others need nothing.
    pub fn take_leaving(
        &mut self,
        left: f64,
        tokens: f64,
        rate: f64,
        capacity: f64,
        now: Monotonic,
    ) -> Result<(), Duration> {
        let filled = self.tokens + rate * now.since(self.filled_at).as_secs_f64();
        (self.tokens, self.filled_at) = (filled.min(capacity), now);
        let needed = tokens.min(capacity);
        if self.tokens >= (needed + left).min(capacity) {
            self.tokens -= tokens;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((needed - self.tokens).max(0.0) / rate.max(1e-3)).min(3600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn who_leaves_some_for_others_takes_what_is_above() {
        let mut bucket = TokenBucket::new(10.0, at(0));
        assert_eq!((0..50).filter(|_| bucket.take_leaving(4.0, 1.0, 10.0, 10.0, at(0)).is_ok()).count(), 6);
        assert_eq!(bucket.take_leaving(4.0, 1.0, 10.0, 10.0, at(0)), Err(Duration::ZERO), "four are there");
        assert_eq!((0..50).filter(|_| bucket.take(10.0, 10.0, at(0)).is_ok()).count(), 4);
        assert_eq!(bucket.take_leaving(99.0, 1.0, 10.0, 10.0, at(1000)), Ok(()), "a full bucket is left by nobody");
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
    fn what_costs_more_than_the_bucket_holds_is_taken_from_a_full_one_and_paid_off_after() {
        let mut bucket = TokenBucket::new(10.0, at(0));
        assert_eq!(bucket.take_many(25.0, 10.0, 10.0, at(0)), Ok(()));
        assert_eq!(bucket.take(10.0, 10.0, at(0)).unwrap_err().as_millis(), 1_600, "15 are owed and 1 is needed");
        assert_eq!(bucket.take_many(25.0, 10.0, 10.0, at(0)).unwrap_err().as_millis(), 2_500);
        let taken = (0..100_000).filter(|ms| bucket.take_many(25.0, 10.0, 10.0, at(*ms)).is_ok()).count();
        assert_eq!(taken, 39, "of 1,000 tokens in 100 s, the first for the debt and the last not used up");
    }

    #[test]
    fn what_is_put_in_counts_up_to_the_capacity() {
        let mut bucket = TokenBucket::new(0.0, at(0));
        bucket.add(100.0);
        assert_eq!((0..50).filter(|_| bucket.take(1.0, 5.0, at(0)).is_ok()).count(), 5);
    }
}
