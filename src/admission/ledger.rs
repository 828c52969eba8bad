//! Counts how frames end. This equation always holds:
//! `captured = detected + Σ shed{reason} + Σ failed{cause} + in flight`.

use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcomes of one camera's frames, or of all cameras together.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Frames that a capture process announced.
    pub captured: u64,
    /// Frames that a unit analysed.
    pub detected: u64,
    /// Frames that were dropped before any unit analysed them, by reason.
    pub shed: BTreeMap<ShedReason, u64>,
    /// Frames that a unit tried without giving a result, by cause.
    pub failed: BTreeMap<FailureCause, u64>,
}

impl Ledger {
    /// Counts a captured frame.
    pub fn count_captured(&mut self) {
        self.captured += 1;
    }

    /// Counts the outcome of a frame.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Detected => self.detected += 1,
            Outcome::Shed(reason) => *self.shed.entry(reason).or_default() += 1,
            Outcome::Failed(cause) => *self.failed.entry(cause).or_default() += 1,
        }
    }

    /// The number of frames that have an outcome.
    pub fn ended(&self) -> u64 {
        self.detected + self.shed.values().sum::<u64>() + self.failed.values().sum::<u64>()
    }

    /// True when every captured frame either has an outcome or is one of the `in_flight` frames.
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
