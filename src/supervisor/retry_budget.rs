//! Limits retries of failed items to a share of the load, so that failures cannot multiply it.

use crate::vision::monotonic::Monotonic;
use crate::vision::token_bucket::TokenBucket;

/// The part of a retry that each accepted item adds.
const SHARE: f64 = 0.1;
/// Retries a second that are available without load, so that a quiet box can retry too.
const LEAST_PER_SECOND: f64 = 1.0;
/// The initial budget: ten seconds' worth.
const SAVED: f64 = 10.0 * LEAST_PER_SECOND;

/// The retries that are left, as a token bucket.
#[derive(Clone, Debug)]
pub struct RetryBudget(TokenBucket);

impl RetryBudget {
    /// A budget of ten retries.
    pub fn new(now: Monotonic) -> Self {
        Self(TokenBucket::new(SAVED, now))
    }

    /// Adds the share of one accepted item.
    pub fn deposit(&mut self) {
        self.0.add(SHARE);
    }

    /// Takes one retry from the budget; false if there is none.
    pub fn withdraw(&mut self, now: Monotonic) -> bool {
        self.0.take(LEAST_PER_SECOND, 2.0 * SAVED, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn retries_stay_a_share_of_the_load() {
        let mut budget = RetryBudget::new(at(0));
        let mut granted = 0;
        for second in 1..=100 {
            for _ in 0..100 {
                budget.deposit();
                granted += u32::from(budget.withdraw(at(second)));
            }
        }
        assert!((1_000..=1_150).contains(&granted), "{granted} of 10000");
    }

    #[test]
    fn a_quiet_box_retries_once_a_second() {
        let mut budget = RetryBudget::new(at(0));
        while budget.withdraw(at(0)) {}
        assert!(!budget.withdraw(at(0)) && budget.withdraw(at(1)) && !budget.withdraw(at(1)));
    }
}
