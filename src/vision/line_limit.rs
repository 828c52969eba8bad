//! How many log lines of one kind others may cause: whoever can repeat what is logged could otherwise fill the disk.

use crate::vision::monotonic::Monotonic;
use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

/// Lines of one kind that are logged in a period; enough to see what happens when one cause brings a few of them.
const LINES: u32 = 10;

/// After it a kind has its lines again, and the first of them tells how many were left out.
const PERIOD: Duration = Duration::from_secs(10);

/// The limit of one kind of log line, or of one source of lines.
#[derive(Debug)]
pub struct LineLimit {
    lines: u32,
    period_began: Option<Monotonic>,
    used: u32,
    left_out: u64,
}

impl Default for LineLimit {
    fn default() -> Self {
        Self::of(LINES)
    }
}

impl LineLimit {
    /// A limit of that many lines in ten seconds.
    pub fn of(lines: u32) -> Self {
        Self { lines, period_began: None, used: 0, left_out: 0 }
    }

    /// Says whether to log a line at `now`; `None`: leave it out. Log what this returns in the field `left_out`: the log
    /// counts these fields for `ocelli_log_lines_left_out`.
    pub fn admit(&mut self, now: Monotonic) -> Option<LeftOut> {
        if self.period_began.is_none_or(|began| now.since(began) >= PERIOD) {
            self.period_began = Some(now);
            self.used = 0;
        }
        if self.used >= self.lines {
            self.left_out += 1;
            return None;
        }
        self.used += 1;
        Some(self.take_left_out())
    }

    /// How many lines were left out that no line tells of yet, for a last line when the source has ended.
    pub fn take_left_out(&mut self) -> LeftOut {
        LeftOut(std::mem::take(&mut self.left_out))
    }
}

/// How many lines of a kind were left out since the last one that was logged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LeftOut(u64);

impl LeftOut {
    /// The number for the field `left_out`; absent if no line was left out.
    pub fn count(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

/// For the end of a sentence; nothing if no line was left out.
impl Display for LeftOut {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self.0 {
            0 => Ok(()),
            count => write!(out, " ({count} such lines were left out before)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_flood_is_a_few_lines_a_period_and_the_next_one_tells_how_many_were_left_out() {
        let mut limit = LineLimit::of(3);
        let logged: Vec<LeftOut> = (0..100_000).filter_map(|_| limit.admit(at(100))).collect();
        assert_eq!(logged, [LeftOut(0); 3]);
        assert_eq!(limit.admit(at(109)), None);
        let next = limit.admit(at(110)).unwrap();
        assert_eq!(next.count(), Some(99_998));
        assert_eq!(next.to_string(), " (99998 such lines were left out before)");
        assert_eq!(limit.admit(at(110)).unwrap().count(), None, "they are told of once");
    }

    #[test]
    fn lines_that_are_rare_are_all_logged() {
        let mut limit = LineLimit::default();
        assert!((0..1000).all(|index| limit.admit(at(index)).is_some_and(|left_out| left_out.to_string().is_empty())));
    }

    #[test]
    fn what_a_source_left_out_at_its_end_is_told_of_once() {
        let mut limit = LineLimit::of(1);
        assert!(limit.admit(at(0)).is_some() && limit.admit(at(1)).is_none());
        assert_eq!(limit.take_left_out().count(), Some(1));
        assert_eq!(limit.take_left_out().count(), None);
    }
}
