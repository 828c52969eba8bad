//! What this box knows of others beside what they tell: how many of its calls each has now, and which did not answer.

use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a box that did not answer is left out, so that each costs few callers their time.
const REST: Duration = Duration::from_secs(5);

/// The books of all other boxes.
#[derive(Debug, Default)]
pub(super) struct Books {
    resting: BTreeMap<String, Monotonic>,
    on_way: BTreeMap<String, u16>,
}

impl Books {
    /// It did not answer.
    pub(super) fn failed(&mut self, box_id: &str, now: Monotonic) {
        self.resting.retain(|_, until| now < *until);
        self.resting.insert(box_id.to_owned(), now + REST);
    }

    /// A call is on its way there.
    pub(super) fn begin(&mut self, box_id: &str) {
        *self.on_way.entry(box_id.to_owned()).or_default() += 1;
    }

    /// That call has ended.
    pub(super) fn end(&mut self, box_id: &str) {
        if let Some(calls) = self.on_way.get_mut(box_id) {
            *calls = calls.saturating_sub(1);
        }
        // Boxes come and go.
        self.on_way.retain(|_, calls| *calls > 0);
    }

    /// The calls that it has of this box, of which its report does not know yet; `None` while it is left out.
    pub(super) fn calls(&self, box_id: &str, now: Monotonic) -> Option<u16> {
        let rests = self.resting.get(box_id).is_some_and(|until| now < *until);
        (!rests).then(|| self.on_way.get(box_id).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_box_that_failed_is_left_out_for_some_seconds() {
        let mut books = Books::default();
        books.failed("a", at(0));
        assert_eq!(
            (books.calls("a", at(4_999)), books.calls("b", at(1)), books.calls("a", at(5_000))),
            (None, Some(0), Some(0))
        );
        books.failed("a", at(6_000));
        assert_eq!(books.calls("a", at(10_999)), None);
    }

    #[test]
    fn calls_count_from_their_beginning_to_their_end() {
        let mut books = Books::default();
        books.begin("a");
        books.begin("a");
        assert_eq!((books.calls("a", at(0)), books.calls("b", at(0))), (Some(2), Some(0)));
        books.end("a");
        assert_eq!(books.calls("a", at(0)), Some(1));
        books.end("a");
        books.end("a");
        assert_eq!(books.calls("a", at(0)), Some(0));
    }
}
