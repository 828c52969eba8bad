//! What this box knows of others beside what they tell: how many of its calls each has now, and which did not answer.

use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a box that did not answer is left out, so that each costs few callers their time.
const REST: Duration = Duration::from_secs(5);

/// A box whose calls fail for so long, none answered between, is a trouble: its certificate, its address or a firewall. One that has
/// died is no peer any more by then.
const TROUBLE_AFTER: Duration = Duration::from_secs(30);

/// Failures that are further apart belong to two troubles.
const ANEW_AFTER: Duration = Duration::from_secs(120);

/// Why a box gives no answers.
#[derive(Debug)]
struct Failing {
    first_at: Monotonic,
    last_at: Monotonic,
    why: String,
}

/// The books of all other boxes.
#[derive(Debug, Default)]
pub(super) struct Books {
    resting: BTreeMap<String, Monotonic>,
    failing: BTreeMap<String, Failing>,
    on_way: BTreeMap<String, u16>,
}

impl Books {
    /// It did not answer.
    pub(super) fn failed(&mut self, box_id: &str, why: String, now: Monotonic) {
        self.resting.retain(|_, until| now < *until);
        self.resting.insert(box_id.to_owned(), now + REST);
        let goes_on = self.failing.get(box_id).filter(|failing| now.since(failing.last_at) < ANEW_AFTER);
        let first_at = goes_on.map_or(now, |failing| failing.first_at);
        self.failing.insert(box_id.to_owned(), Failing { first_at, last_at: now, why });
    }

    /// It answered.
    pub(super) fn answered(&mut self, box_id: &str) {
        self.failing.remove(box_id);
    }

    /// The boxes that have not answered for long, in words for the operator. Those that are no peers any more are forgotten.
    pub(super) fn trouble(&mut self, is_peer: impl Fn(&str) -> bool) -> Option<String> {
        self.failing.retain(|box_id, _| is_peer(box_id));
        let lasts = |failing: &Failing| failing.last_at.since(failing.first_at) >= TROUBLE_AFTER;
        let lasting = self.failing.iter().filter(|(_, failing)| lasts(failing));
        let sentences: Vec<String> = lasting
            .map(|(box_id, failing)| format!("no call can be handed to box {box_id}: {}", failing.why))
            .collect();
        (!sentences.is_empty()).then(|| sentences.join("; "))
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
        books.failed("a", String::new(), at(0));
        assert_eq!(
            (books.calls("a", at(4_999)), books.calls("b", at(1)), books.calls("a", at(5_000))),
            (None, Some(0), Some(0))
        );
        books.failed("a", String::new(), at(6_000));
        assert_eq!(books.calls("a", at(10_999)), None);
    }

    #[test]
    fn a_box_that_fails_for_long_is_a_trouble_until_it_answers_or_leaves() {
        let mut books = Books::default();
        books.failed("a", "refused".into(), at(0));
        books.failed("a", "refused".into(), at(29_999));
        assert_eq!(books.trouble(|_| true), None);
        books.failed("a", "unknown issuer".into(), at(30_000));
        assert_eq!(books.trouble(|_| true).as_deref(), Some("no call can be handed to box a: unknown issuer"));
        books.answered("a");
        assert_eq!(books.trouble(|_| true), None);
        books.failed("a", "refused".into(), at(40_000));
        books.failed("a", "refused".into(), at(80_000));
        assert!(books.trouble(|_| true).is_some());
        books.failed("b", "late".into(), at(0));
        books.failed("b", "late".into(), at(3_600_000));
        assert!(!books.trouble(|_| true).is_some_and(|trouble| trouble.contains("box b")), "an hour apart");
        assert_eq!((books.trouble(|_| false), books.trouble(|_| true)), (None, None));
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
