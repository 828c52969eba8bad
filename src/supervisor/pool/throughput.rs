//! The completed work of a model's units, and their service time.

use crate::admission::WorkKind;
use crate::supervisor::service_time::ServiceTime;
use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// The window over which the load is averaged.
const LOAD_WINDOW: Duration = Duration::from_secs(10);

/// Finished transactions and their service time.
#[derive(Debug, Default)]
pub(super) struct Throughput {
    pub(super) service_time: ServiceTime,
    /// Completed transactions of frames and images.
    pub(super) transactions: u64,
    pub(super) image_transactions: u64,
    /// Transactions completed since the autoscaler's last evaluation.
    pub(super) completed: u64,
    /// The completion times in the load window, with the number of transactions.
    recent: VecDeque<(Monotonic, u32)>,
}

impl Throughput {
    /// Counts a completed item.
    pub(super) fn count(&mut self, kind: WorkKind, transactions: u32, now: Monotonic) {
        self.recent.push_back((now, transactions));
        self.completed += u64::from(transactions);
        self.transactions += u64::from(transactions);
        if kind == WorkKind::Image {
            self.image_transactions += u64::from(transactions);
        }
    }

    /// Removes entries older than the load window.
    pub(super) fn forget_old(&mut self, now: Monotonic) {
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) > LOAD_WINDOW) {
            self.recent.pop_front();
        }
    }

    /// Transactions a second over the load window.
    pub(super) fn load_tps(&self) -> f64 {
        let done: u32 = self.recent.iter().map(|(_, transactions)| transactions).sum();
        f64::from(done) / LOAD_WINDOW.as_secs_f64()
    }

    /// Transactions a second of images in one unit. Before the first measurement a unit is assumed to be slow, so that
    /// little waits.
    pub(super) fn unit_image_tps(&self) -> f64 {
        let tps = self.service_time.tps_of(WorkKind::Image);
        if tps > 0.0 { tps } else { 1.0 }
    }
}
