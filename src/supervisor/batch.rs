//! What a unit works on: all that was given to it at once. Each item of it has its own answer and its own outcome.

use crate::admission::{Work, WorkKind};
use crate::ipc::messages::RequestId;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The items of a unit that works.
#[derive(Debug)]
pub struct Batch {
    /// Those without an answer; some, while the unit works.
    open: Vec<(RequestId, Work)>,
    since: Monotonic,
    /// Of all items that were given.
    transactions: u32,
    /// Those that were looked at, and their transactions.
    found: Vec<WorkKind>,
    found_transactions: u32,
}

impl Batch {
    /// Given to a unit at `since`.
    pub fn new(items: Vec<(RequestId, Work)>, since: Monotonic) -> Self {
        let transactions = items.iter().map(|(_, work)| work.transactions()).sum();
        Self { open: items, since, transactions, found: Vec::new(), found_transactions: 0 }
    }

    /// When the unit was given them.
    pub fn since(&self) -> Monotonic {
        self.since
    }

    /// What the unit was given to do, answered or not: its deadline is that of all of it.
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// How many have no answer yet.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The item of a request that has no answer yet, which it has now. `None` for any other request.
    pub fn answered(&mut self, request: RequestId, is_found: bool) -> Option<Work> {
        let index = self.open.iter().position(|(asked, _)| *asked == request)?;
        let (_, work) = self.open.remove(index);
        if is_found {
            self.found.push(work.kind());
            self.found_transactions += work.transactions();
        }
        Some(work)
    }

    /// The daemon was suspended for `gap`, and with it the clock of this batch.
    pub fn paused(&mut self, gap: Duration) {
        self.since = self.since + gap;
    }

    /// What has no answer when the unit is gone.
    pub fn into_open(self) -> Vec<Work> {
        self.open.into_iter().map(|(_, work)| work).collect()
    }

    /// How long each transaction took, and which kinds of items they were. Items of a batch are answered together, so
    /// the time of one of them is its share of all.
    pub fn measured(&self, now: Monotonic) -> Option<(Duration, &[WorkKind])> {
        let share = now.since(self.since).checked_div(self.found_transactions)?;
        Some((share, &self.found))
    }
}
