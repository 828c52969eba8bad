//! Arriving work: a frame replaces the waiting one of its camera; an image is queued, or refused at once.

use super::Pool;
use crate::admission::{FrameWork, ImageWork, Work};
use crate::supervisor::actions::SupervisorAction;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{Outcome, ShedReason};
use std::time::Duration;

impl Pool {
    /// A capture process announced a frame.
    pub fn frame_captured(&mut self, work: FrameWork, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        self.demand.count_frame(&work.camera, work.transactions());
        if let Some(reason) = self.reason_to_refuse() {
            return self.shed(actions, Work::Frame(work), reason);
        }
        if let Some(older) = self.demand.gate.cameras.offer(work) {
            self.shed(actions, Work::Frame(older), ShedReason::Superseded);
        }
        self.dispatch(actions, now);
    }

    /// An image arrived. It is queued, or refused at once.
    pub fn image_offered(&mut self, mut work: ImageWork, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        work.options.framing = self.demand.image_framing;
        self.demand.count_image(work.transactions());
        let in_service = self.in_service();
        let no_units = (in_service == 0).then_some(ShedReason::NoUnits);
        if let Some(reason) = self.reason_to_refuse().or(no_units) {
            return self.shed(actions, Work::Image(work), reason);
        }
        let measured_tps = self.throughput.unit_image_tps() * in_service as f64;
        if let Err(retry_after) = self.demand.charge(&work, measured_tps, now) {
            return self.throttle(actions, work, retry_after);
        }
        let rate = self.image_rate();
        let awaited = self.demand.return_times.awaited(rate, now);
        if let Err(refused) = self.demand.gate.images.offer(work, awaited, rate, now) {
            let ahead = self.demand.return_times.give_out(refused.work.transactions(), rate, now);
            return self.throttle(actions, refused.work, refused.retry_after + ahead);
        }
        self.dispatch(actions, now);
    }

    /// Why the pool accepts no work now; `None` if it does.
    pub(super) fn reason_to_refuse(&self) -> Option<ShedReason> {
        if self.is_draining {
            Some(ShedReason::Draining)
        } else if !self.is_wanted {
            Some(ShedReason::ModelStopped)
        } else {
            self.unusable.is_some().then_some(ShedReason::NoUnits)
        }
    }

    /// The throughput that is left for images, in transactions a second, given the frames that wait now.
    pub(super) fn image_rate(&self) -> f64 {
        self.throughput.unit_image_tps() * self.in_service() as f64 * self.demand.gate.share_of_images()
    }

    fn throttle(&mut self, actions: &mut Vec<SupervisorAction>, work: ImageWork, retry_after: Duration) {
        let outcome = Outcome::Shed(ShedReason::Throttled);
        self.demand.images.count(outcome);
        actions.push(SupervisorAction::ImageEnded { work, outcome, answer: None, retry_after });
    }

    /// Changes the weight of a camera.
    pub fn set_weight(&mut self, camera: &CameraId, weight: u32) {
        self.demand.set_weight(camera, weight);
    }

    /// Removes a camera: its waiting frame is shed; frames that a unit has keep their result.
    pub fn remove_camera(&mut self, camera: &CameraId, actions: &mut Vec<SupervisorAction>) {
        if let Some(work) = self.demand.remove_camera(camera) {
            self.shed(actions, Work::Frame(work), ShedReason::CameraRemoved);
        }
    }

    /// A capture process kept a frame that was due to itself.
    pub fn frame_kept_back(&mut self, camera: &CameraId, reason: ShedReason) {
        let ledger = self.demand.ledger(camera);
        ledger.count_captured();
        ledger.count(Outcome::Shed(reason));
    }
}
