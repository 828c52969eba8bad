//! Boxes that did not answer: they are left out for a while, so that each costs few callers their time.

use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a box that did not answer is left out.
const REST: Duration = Duration::from_secs(5);

/// Those that are left out now.
#[derive(Debug, Default)]
pub(super) struct Resting(BTreeMap<String, Monotonic>);

impl Resting {
    /// It did not answer. True if it was not left out already.
    pub(super) fn failed(&mut self, box_id: &str, now: Monotonic) -> bool {
        self.0.retain(|_, until| now < *until);
        self.0.insert(box_id.to_owned(), now + REST).is_none()
    }

    /// True while it is left out.
    pub(super) fn rests(&self, box_id: &str, now: Monotonic) -> bool {
        self.0.get(box_id).is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_failed_is_left_out_for_some_seconds() {
        let at = |ms: u64| Monotonic::from_nanos(ms * 1_000_000);
        let mut resting = Resting::default();
        assert!(!resting.rests("a", at(0)) && resting.failed("a", at(0)));
        assert!(resting.rests("a", at(4_999)) && !resting.rests("b", at(1)) && !resting.rests("a", at(5_000)));
        assert!(!resting.failed("a", at(4_000)), "it was left out already");
        assert!(resting.rests("a", at(8_999)) && resting.failed("a", at(9_000)));
    }
}
