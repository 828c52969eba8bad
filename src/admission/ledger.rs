//! Counts how frames end. The equation it keeps:
//! `captured = detected + Σ shed{reason} + Σ failed{cause} + in flight`.

use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::collections::BTreeMap;

/// The outcomes of one camera, or of all together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// Frames that a capture process announced.
    pub captured: u64,
    /// Frames that a unit looked at.
    pub detected: u64,
    /// Frames that nobody looked at, by reason.
    pub shed: BTreeMap<ShedReason, u64>,
    /// Frames that were tried and have no result, by cause.
    pub failed: BTreeMap<FailureCause, u64>,
}

impl Ledger {
    /// A frame came.
    pub fn count_captured(&mut self) {
        self.captured += 1;
    }

    /// A frame ended.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Detected => self.detected += 1,
            Outcome::Shed(reason) => *self.shed.entry(reason).or_default() += 1,
            Outcome::Failed(cause) => *self.failed.entry(cause).or_default() += 1,
        }
    }

    /// Frames that have an outcome.
    pub fn ended(&self) -> u64 {
        self.detected + self.shed.values().sum::<u64>() + self.failed.values().sum::<u64>()
    }

    /// True when every captured frame has ended or is one of the `in_flight` that wait or are worked on.
    pub fn closes(&self, in_flight: u64) -> bool {
        self.captured == self.ended() + in_flight
    }

    /// Adds another camera's counts.
    pub fn add(&mut self, other: &Self) {
        self.captured += other.captured;
        self.detected += other.detected;
        for (reason, count) in &other.shed {
            *self.shed.entry(*reason).or_default() += count;
        }
        for (cause, count) in &other.failed {
            *self.failed.entry(*cause).or_default() += count;
        }
    }
}
