//! The demand for the units of a model: waiting frames and images, their quota, and their outcomes.

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

/// The frames and images that wait for the units of a model, and the outcomes of all earlier ones.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) gate: Gate,
    /// The region and tiles of every image.
    pub(super) image_framing: Framing,
    pub(super) images: Ledger,
    pub(super) ledgers: BTreeMap<CameraId, Ledger>,
    pub(super) retry_budget: RetryBudget,
    /// Transactions that arrived since the autoscaler's last evaluation.
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

    /// Adds a camera. A `weight` of 0 counts as 1.
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

    /// Counts an outcome. Throttled images and frames without a slot are counted in `intake`.
    pub(super) fn count_outcome(&mut self, work: &Work, outcome: Outcome) {
        match work {
            Work::Frame(work) => self.ledger(&work.camera).count(outcome),
            Work::Image(_) => self.images.count(outcome),
        }
    }

    /// Takes an image's transactions from the quota; `measured_tps` is the throughput of the units in service.
    ///
    /// # Errors
    /// The time until the quota suffices.
    pub(super) fn charge(&mut self, work: &ImageWork, measured_tps: f64, now: Monotonic) -> Result<(), Duration> {
        let Some((quota, bucket)) = &mut self.quota else { return Ok(()) };
        let tps = quota.tps(measured_tps);
        bucket.take_many(f64::from(work.transactions()), tps, burst(tps), now)
    }
}
