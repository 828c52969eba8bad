//! What wants the units of a model: frames and images that wait, their quota, and how all of them ended.

use crate::admission::{Gate, ImageWork, Ledger, Work};
use crate::supervisor::pool::bounds::{TpsQuota, burst};
use crate::supervisor::retry_budget::RetryBudget;
use crate::vision::camera_id::CameraId;
use crate::vision::framing::Framing;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::Outcome;
use crate::vision::token_bucket::TokenBucket;
use std::collections::BTreeMap;
use std::time::Duration;

/// All that waits for the units of a model, and the books about it.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) gate: Gate,
    /// What of an image is looked at, whoever sends it.
    pub(super) image_framing: Framing,
    pub(super) images: Ledger,
    pub(super) ledgers: BTreeMap<CameraId, Ledger>,
    pub(super) retry_budget: RetryBudget,
    /// Transactions that came since the last evaluation of the number of units.
    pub(super) arrivals: u64,
    quota: Option<(TpsQuota, TokenBucket)>,
}

impl Demand {
    pub(super) fn new(gate: Gate, quota: Option<TpsQuota>, now: Monotonic) -> Self {
        Self {
            gate,
            image_framing: Framing::default(),
            images: Ledger::default(),
            ledgers: BTreeMap::new(),
            retry_budget: RetryBudget::new(now),
            arrivals: 0,
            quota: quota.map(|quota| (quota, TokenBucket::new(burst(quota.tps(1.0)), now))),
        }
    }

    /// Gives a camera its place and its ledger.
    pub(super) fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.ledgers.entry(camera.clone()).or_default();
        self.gate.cameras.add_camera(camera, weight);
    }

    /// The ledger of a camera.
    pub(super) fn ledger(&mut self, camera: &CameraId) -> &mut Ledger {
        self.ledgers.entry(camera.clone()).or_default()
    }

    /// Counts a frame that a capture process announced.
    pub(super) fn count_frame(&mut self, camera: &CameraId, transactions: u32) {
        self.ledger(camera).count_captured();
        self.arrivals += u64::from(transactions);
        self.retry_budget.deposit();
    }

    /// Counts an image that was offered.
    pub(super) fn count_image(&mut self, transactions: u32) {
        self.images.count_captured();
        self.arrivals += u64::from(transactions);
        self.retry_budget.deposit();
    }

    /// Counts how work ended. The only place where it is counted.
    pub(super) fn count_outcome(&mut self, work: &Work, outcome: Outcome) {
        match work {
            Work::Frame(work) => self.ledger(&work.camera).count(outcome),
            Work::Image(_) => self.images.count(outcome),
        }
    }

    /// Takes an image's transactions from the quota, where `measured_tps` is what the units can do.
    ///
    /// # Errors
    /// How long it takes until there are enough.
    pub(super) fn charge(&mut self, work: &ImageWork, measured_tps: f64, now: Monotonic) -> Result<(), Duration> {
        let Some((quota, bucket)) = &mut self.quota else { return Ok(()) };
        let tps = quota.tps(measured_tps);
        bucket.take_many(f64::from(work.transactions()), tps, burst(tps), now)
    }
}
