//! The completed work of a model's units, and their service time.

use crate::admission::WorkKind;
use crate::supervisor::service_time::ServiceTime;
use crate::vision::monotonic::Monotonic;
use std::collections::VecDeque;
use std::time::Duration;

/// The window over which the load is averaged.
const LOAD_WINDOW: Duration = Duration::from_secs(10);

/// An item that was completed.
#[derive(Clone, Copy, Debug)]
struct Completed {
    at: Monotonic,
    kind: WorkKind,
    transactions: u32,
}

/// Finished transactions and their service time.
#[derive(Debug, Default)]
pub(super) struct Throughput {
    pub(super) service_time: ServiceTime,
    /// Completed transactions of frames and images.
    pub(super) transactions: u64,
    pub(super) image_transactions: u64,
    /// Transactions completed since the autoscaler's last evaluation.
    pub(super) completed: u64,
    /// The time of one transaction as a unit has measured it before it took work; a guess, replaced by what is measured at work.
    expected: Option<Duration>,
    /// What was completed in the load window.
    recent: VecDeque<Completed>,
}

impl Throughput {
    /// Counts a completed item.
    pub(super) fn count(&mut self, kind: WorkKind, transactions: u32, now: Monotonic) {
        self.recent.push_back(Completed { at: now, kind, transactions });
        self.completed += u64::from(transactions);
        self.transactions += u64::from(transactions);
        if kind == WorkKind::Image {
            self.image_transactions += u64::from(transactions);
        }
    }

    /// Removes entries older than the load window.
    pub(super) fn forget_old(&mut self, now: Monotonic) {
        while self.recent.front().is_some_and(|done| now.since(done.at) > LOAD_WINDOW) {
            self.recent.pop_front();
        }
    }

    /// Transactions a second over the load window.
    pub(super) fn load_tps(&self) -> f64 {
        self.load_of(|_| true)
    }

    /// The same of images alone.
    pub(super) fn image_load_tps(&self) -> f64 {
        self.load_of(|kind| kind == WorkKind::Image)
    }

    fn load_of(&self, is_counted: impl Fn(WorkKind) -> bool) -> f64 {
        let done: u32 = self.recent.iter().filter(|done| is_counted(done.kind)).map(|done| done.transactions).sum();
        f64::from(done) / LOAD_WINDOW.as_secs_f64()
    }

    /// A unit is ready, with the time that a run took it; zero if it does not say.
    pub(super) fn expect(&mut self, run_time: Duration) {
        self.expected = Some(run_time).filter(|time| !time.is_zero()).or(self.expected);
    }

    /// Transactions a second of one unit as it has timed them itself before it took work; 0: it did not say.
    pub(super) fn expected_tps(&self) -> f64 {
        self.expected.map_or(0.0, |time| 1.0 / time.as_secs_f64())
    }

    /// Transactions a second of images in one unit. Before the first one is measured it is what the unit's own run
    /// suggests, which is without decoding and scaling and so too much; a unit of which nothing is known is taken for a slow one, so that little waits.
    pub(super) fn unit_image_tps(&self) -> f64 {
        let tps = self.service_time.tps_of(WorkKind::Image);
        let expected = self.expected.map_or(1.0, |time| 1.0 / time.as_secs_f64());
        if tps > 0.0 { tps } else { expected }
    }
}
