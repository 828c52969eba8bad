//! A batch: the items that a unit works on together. Each item has its own reply and its own outcome.

use crate::admission::{Work, WorkKind};
use crate::ipc::messages::RequestId;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The items that were dispatched to a unit.
#[derive(Debug)]
pub struct Batch {
    /// Items without a reply; at least one while the unit is busy.
    open: Vec<(RequestId, Work)>,
    since: Monotonic,
    /// Of all items, replied or not.
    transactions: u32,
    /// The kinds of the items with a result.
    found: Vec<WorkKind>,
    found_transactions: u32,
}

impl Batch {
    /// A batch that was dispatched at `since`.
    pub fn new(items: Vec<(RequestId, Work)>, since: Monotonic) -> Self {
        let transactions = items.iter().map(|(_, work)| work.transactions()).sum();
        Self { open: items, since, transactions, found: Vec::new(), found_transactions: 0 }
    }

    /// When the batch was dispatched.
    pub fn since(&self) -> Monotonic {
        self.since
    }

    /// The transactions of all items, replied or not. The batch's deadline covers all of them.
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// The number of items without a reply.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Closes the item of a request and returns it; `None` if the batch has no such open item. `is_found`: the unit
    /// sent a result, which counts in [`Self::measured`].
    pub fn answered(&mut self, request: RequestId, is_found: bool) -> Option<Work> {
        let index = self.open.iter().position(|(asked, _)| *asked == request)?;
        let (_, work) = self.open.remove(index);
        if is_found {
            self.found.push(work.kind());
            self.found_transactions += work.transactions();
        }
        Some(work)
    }

    /// Moves the start, and so the deadline, by the `gap` for which the daemon was suspended.
    pub fn paused(&mut self, gap: Duration) {
        self.since = self.since + gap;
    }

    /// The items without a reply, once the unit has ended.
    pub fn into_open(self) -> Vec<Work> {
        self.open.into_iter().map(|(_, work)| work).collect()
    }

    /// The time of one transaction, and the kinds of the items with a result; `None` if there are none. Replies of a
    /// batch come together, so the time is divided evenly.
    pub fn measured(&self, now: Monotonic) -> Option<(Duration, &[WorkKind])> {
        let share = now.since(self.since).checked_div(self.found_transactions)?;
        Some((share, &self.found))
    }
}
