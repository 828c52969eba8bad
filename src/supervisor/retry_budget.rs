//! How many failed items may be tried again: retries are a share of the load, never a multiple of it.

use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Each item earns this share of a retry.
const SHARE: f64 = 0.1;
/// Retries a second that are there without any load, so that a quiet box retries as well.
const LEAST_PER_SECOND: f64 = 1.0;
/// What is saved up lasts this long.
const SAVED: Duration = Duration::from_secs(10);

/// Retries that may still be made.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    balance: f64,
    filled_at: Monotonic,
}

impl RetryBudget {
    /// As much as a quiet box has saved up.
    pub fn new(now: Monotonic) -> Self {
        Self { balance: LEAST_PER_SECOND * SAVED.as_secs_f64(), filled_at: now }
    }

    /// An item was taken.
    pub fn deposit(&mut self) {
        self.balance += SHARE;
    }

    /// Takes out one retry, if there is one.
    pub fn withdraw(&mut self, now: Monotonic) -> bool {
        let most = LEAST_PER_SECOND * SAVED.as_secs_f64();
        let filled = self.balance.min(2.0 * most) + LEAST_PER_SECOND * now.since(self.filled_at).as_secs_f64();
        self.balance = filled.min(2.0 * most);
        self.filled_at = now;
        let has_one = self.balance >= 1.0;
        if has_one {
            self.balance -= 1.0;
        }
        has_one
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
