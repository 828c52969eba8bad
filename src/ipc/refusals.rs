//! What is logged of the refused calls of one child. A child that was taken over can make millions.

use std::collections::BTreeSet;
use std::time::Duration;

/// So many different refusals of a child are logged, each once.
const NAMED: usize = 16;

/// All others are counted and logged at most this often.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);

/// A line for the log.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    /// How many refusals it stands for that had no line of their own, for the field of which the log keeps count.
    pub(super) left_out: Option<u64>,
}

/// The refusals of one child.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    named: BTreeSet<String>,
    unnamed: u64,
    summary_at: Option<Duration>,
}

impl Refusals {
    /// Counts a refusal at `now` (any clock that does not go back). Returns a line for the log, if one is due.
    pub(super) fn add(&mut self, what: String, now: Duration) -> Option<Line> {
        if self.named.len() < NAMED && !self.named.contains(&what) {
            self.named.insert(what.clone());
            self.summary_at.get_or_insert(now + SUMMARY_INTERVAL);
            return Some(Line { text: what, left_out: None });
        }
        self.unnamed += 1;
        if self.summary_at.is_some_and(|at| now < at) {
            return None;
        }
        self.summary_at = Some(now + SUMMARY_INTERVAL);
        let count = std::mem::take(&mut self.unnamed);
        Some(Line { text: format!("{count} further calls were refused, the last: {what}"), left_out: Some(count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_some_lines_and_a_count() {
        let mut refusals = Refusals::default();
        let at = |ms: u64| Duration::from_millis(ms);
        let lines: Vec<String> = (0..1_000_000)
            .filter_map(|call| refusals.add(format!("call {}", call % 100), at(call / 10)))
            .map(|line| line.text)
            .collect();
        assert_eq!(lines.len(), NAMED + 1, "100 seconds: {lines:?}");
        assert_eq!(lines[0], "call 0");
        assert!(lines[NAMED].contains("further calls"), "{lines:?}");
        assert_eq!(refusals.add("call 0".into(), at(100_000)), None);
    }
}
