//! How many bytes a second all viewers together get.

use crate::vision::monotonic::Monotonic;

/// What may be sent. What is not used within a second is lost.
#[derive(Debug)]
pub(super) struct ByteBudget {
    per_second: u64,
    available: i64,
    at: Option<Monotonic>,
}

impl ByteBudget {
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { per_second: bytes_per_second, available: 0, at: None }
    }

    /// True if something is left at `now`.
    pub(super) fn has_some(&mut self, now: Monotonic) -> bool {
        let full = i64::try_from(self.per_second).unwrap_or(i64::MAX);
        let gained = match self.at.replace(now) {
            None => full,
            Some(before) => {
                let gained = u128::from(self.per_second) * now.since(before).as_nanos() / 1_000_000_000;
                i64::try_from(gained).unwrap_or(i64::MAX)
            }
        };
        self.available = self.available.saturating_add(gained).min(full);
        self.available > 0
    }

    /// Uses bytes. More than there is: a frame is not cut, and the next ones wait.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.available = self.available.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_comes_back_with_time_and_no_more_than_a_second_of_it() {
        let at = |ms: u64| Monotonic::from_nanos(ms * 1_000_000);
        let mut budget = ByteBudget::new(1000);
        assert!(budget.has_some(at(5_000)));
        budget.spend(1500);
        assert!(!budget.has_some(at(5_400)));
        assert!(budget.has_some(at(5_501)));
        assert!(budget.has_some(at(60_000)));
        budget.spend(1000);
        assert!(!budget.has_some(at(60_000)));
    }
}
