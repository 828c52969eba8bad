//! What comes: a frame takes its camera's place, an image waits, or is refused at once.

use super::{Pool, burst};
use crate::admission::{FrameWork, ImageWork, Work, WorkKind};
use crate::supervisor::actions::SupervisorAction;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{Outcome, ShedReason};
use std::time::Duration;

impl Pool {
    /// A capture process announced a frame.
    pub fn frame_captured(&mut self, work: FrameWork, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        self.ledgers.entry(work.camera.clone()).or_default().count_captured();
        self.arrivals += u64::from(work.transactions());
        self.retry_budget.deposit();
        if self.is_draining {
            return self.shed(actions, Work::Frame(work), ShedReason::Draining);
        }
        if !self.is_wanted {
            return self.shed(actions, Work::Frame(work), ShedReason::ModelStopped);
        }
        if let Some(older) = self.gate.cameras.offer(work) {
            self.shed(actions, Work::Frame(older), ShedReason::Superseded);
        }
        self.dispatch(actions, now);
    }

    /// An image came from outside. It is taken, or refused at once.
    pub fn image_offered(&mut self, mut work: ImageWork, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        work.options.framing = self.image_framing;
        self.images.count_captured();
        self.arrivals += u64::from(work.transactions());
        self.retry_budget.deposit();
        let in_service = self.in_service();
        let reason = match () {
            () if self.is_draining => Some(ShedReason::Draining),
            () if !self.is_wanted => Some(ShedReason::ModelStopped),
            () if in_service == 0 => Some(ShedReason::NoUnits),
            () => None,
        };
        if let Some(reason) = reason {
            return self.shed(actions, Work::Image(work), reason);
        }
        let measured = self.unit_image_tps() * in_service as f64;
        if let Some((quota, bucket)) = &mut self.limit {
            let tps = quota.tps(measured);
            if let Err(retry_after) = bucket.take_many(f64::from(work.transactions()), tps, burst(tps), now) {
                return self.refuse(actions, work, retry_after);
            }
        }
        if let Err(refused) = self.gate.images.offer(work, self.image_rate(), now) {
            return self.refuse(actions, refused.work, refused.retry_after);
        }
        self.dispatch(actions, now);
    }

    /// Before the first measurement a unit is taken to be slow, so that little waits.
    fn unit_image_tps(&self) -> f64 {
        let tps = self.service_time.tps_of(WorkKind::Image);
        if tps > 0.0 { tps } else { 1.0 }
    }

    /// Transactions a second of images that are done beside what cameras want now.
    pub(super) fn image_rate(&self) -> f64 {
        self.unit_image_tps() * self.in_service() as f64 * self.gate.share_of_images()
    }

    fn refuse(&mut self, actions: &mut Vec<SupervisorAction>, work: ImageWork, retry_after: Duration) {
        let outcome = Outcome::Shed(ShedReason::Throttled);
        self.images.count(outcome);
        actions.push(SupervisorAction::ImageEnded { work, outcome, answer: None, retry_after });
    }

    /// A frame was due and its capture process had no slot for it.
    pub fn frame_without_slot(&mut self, camera: &CameraId) {
        let ledger = self.ledgers.entry(camera.clone()).or_default();
        ledger.count_captured();
        ledger.count(Outcome::Shed(ShedReason::NoFreeSlot));
    }
}
