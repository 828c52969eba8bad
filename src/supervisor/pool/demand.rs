//! The demand for the units of a model: waiting frames and images, their quota, and their outcomes.

use crate::admission::{FrameWork, Gate, ImageWork, Ledger, ReturnTimes, Work};
use crate::supervisor::pool::bounds::{TpsQuota, burst};
use crate::supervisor::retry_budget::RetryBudget;
use crate::vision::camera_id::CameraId;
use crate::vision::framing::Framing;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::Outcome;
use crate::vision::token_bucket::TokenBucket;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The frames and images that wait for the units of a model, and the outcomes of all earlier ones.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) gate: Gate,
    /// The region and tiles of every image.
    pub(super) image_framing: Framing,
    pub(super) images: Ledger,
    ledgers: BTreeMap<CameraId, Ledger>,
    /// Cameras that were removed and still have frames without an outcome.
    leaving: BTreeSet<CameraId>,
    /// The frames of all other cameras that were removed.
    former: Ledger,
    pub(super) retry_budget: RetryBudget,
    /// Transactions that arrived since the autoscaler's last evaluation.
    pub(super) arrivals: u64,
    quota: Option<(TpsQuota, TokenBucket)>,
    /// When those callers come back whose images were refused.
    pub(super) return_times: ReturnTimes,
}

impl Demand {
    pub(super) fn new(gate: Gate, quota: Option<TpsQuota>, now: Monotonic) -> Self {
        Self {
            gate,
            image_framing: Framing::default(),
            images: Ledger::default(),
            ledgers: BTreeMap::new(),
            leaving: BTreeSet::new(),
            former: Ledger::default(),
            retry_budget: RetryBudget::new(now),
            arrivals: 0,
            quota: quota.map(|quota| (quota, TokenBucket::new(burst(quota.tps(1.0)), now))),
            return_times: ReturnTimes::default(),
        }
    }

    /// Adds a camera. A `weight` of 0 counts as 1.
    pub(super) fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.leaving.remove(&camera);
        self.ledgers.entry(camera.clone()).or_default();
        self.gate.cameras.add_camera(camera, weight);
    }

    /// Changes the weight of a camera.
    pub(super) fn set_weight(&mut self, camera: &CameraId, weight: u32) {
        self.gate.cameras.set_weight(camera, weight);
    }

    /// Removes a camera, and returns its waiting frame.
    pub(super) fn remove_camera(&mut self, camera: &CameraId) -> Option<FrameWork> {
        let waiting = self.gate.cameras.remove_camera(camera);
        self.leaving.insert(camera.clone());
        if waiting.is_none() {
            self.forget_if_ended(camera);
        }
        waiting
    }

    /// Adds the ledger of a removed camera to those of its predecessors with the outcome of its last frame.
    fn forget_if_ended(&mut self, camera: &CameraId) {
        let is_over = self.leaving.contains(camera) && self.ledgers.get(camera).is_none_or(|ledger| ledger.closes(0));
        if is_over {
            self.leaving.remove(camera);
            self.former.add(&self.ledgers.remove(camera).unwrap_or_default());
        }
    }

    /// The ledgers of the cameras that this model analyses.
    pub(super) fn ledgers(&self) -> BTreeMap<CameraId, Ledger> {
        let is_its = |(camera, _): &(&CameraId, &Ledger)| !self.leaving.contains(*camera);
        self.ledgers.iter().filter(is_its).map(|(camera, ledger)| (camera.clone(), ledger.clone())).collect()
    }

    /// The outcomes of frames of all cameras that were removed.
    pub(super) fn former_cameras(&self) -> Ledger {
        let mut former = self.former.clone();
        self.leaving.iter().filter_map(|camera| self.ledgers.get(camera)).for_each(|ledger| former.add(ledger));
        former
    }

    /// Changes the limit of images. The quota starts anew with a full burst.
    pub(super) fn set_quota(&mut self, quota: Option<TpsQuota>, now: Monotonic) {
        if self.quota.as_ref().map(|(quota, _)| *quota) != quota {
            self.quota = quota.map(|quota| (quota, TokenBucket::new(burst(quota.tps(1.0)), now)));
        }
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
            Work::Frame(work) => {
                self.ledger(&work.camera).count(outcome);
                self.forget_if_ended(&work.camera);
            }
            Work::Image(_) => self.images.count(outcome),
        }
    }

    /// The limit of images in transactions a second, if there is one; `measured_tps` as in [`Self::charge`].
    pub(super) fn quota_tps(&self, measured_tps: f64) -> Option<f64> {
        self.quota.as_ref().map(|(quota, _)| quota.tps(measured_tps))
    }

    /// Takes an image's transactions from the quota; `measured_tps` is the throughput of the units in service.
    ///
    /// # Errors
    /// The time until the quota suffices for this image and those that were refused before it.
    pub(super) fn charge(&mut self, work: &ImageWork, measured_tps: f64, now: Monotonic) -> Result<(), Duration> {
        let Some((quota, bucket)) = &mut self.quota else { return Ok(()) };
        let tps = quota.tps(measured_tps);
        // Half of a burst at most: where those who are awaited do not come, newcomers have the whole rate all the same.
        let left = if work.is_first_try { self.return_times.awaited(tps, now).min(burst(tps) / 2.0) } else { 0.0 };
        let taken = bucket.take_leaving(left, f64::from(work.transactions()), tps, burst(tps), now);
        taken.map_err(|wait| wait + self.return_times.give_out(work.transactions(), tps, now))
    }
}
