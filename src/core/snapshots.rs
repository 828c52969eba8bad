//! Snapshots of cameras: waiting requests, orders to capture processes, and the newest picture of each camera.
//!
//! An order is sent while the slot of its frame is still lent, and so before the release of the slot on the same
//! channel. The capture process copies the frame when it reads the order, so no slot is held for a snapshot. Nothing
//! waits for a capture process: an order without a reply fails at its deadline.

mod change;
mod ordered;
mod orders;
mod policy;

use crate::admission::FrameWork;
use crate::camera::settings::SnapshotSettings;
use crate::control::snapshots::{Snapshot, SnapshotFreshness, SnapshotRefusal, SnapshotReply};
use crate::core::effect::Effect;
use crate::core::event::SnapshotTicket;
use crate::core::frame_connection::FrameConnection;
use crate::core::report::{Report, SnapshotResult};
use crate::core::snapshots::ordered::{Ordered, Purpose, Waiting};
use crate::core::snapshots::policy::{SnapshotCause, SnapshotPolicy};
use crate::ipc::snapshot_messages::SnapshotId;
use crate::vision::camera_id::CameraId;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// How old a picture may be for a person who looks.
const RECENT: Duration = Duration::from_secs(2);

/// How long a request waits for a frame.
const FRAME_LIMIT: Duration = Duration::from_secs(5);

/// The most requests that wait for the same picture of a camera's next frame: with what is drawn on it, or plain.
const MAX_WAITING: usize = 16;

/// The snapshots of all cameras.
#[derive(Debug)]
pub(super) struct Snapshots {
    settings: SnapshotSettings,
    policy: SnapshotPolicy,
    /// The newest stored picture of each camera, up to [`MAX_SNAPSHOT_BYTES`](crate::ipc::snapshot_messages::MAX_SNAPSHOT_BYTES).
    newest: BTreeMap<CameraId, Snapshot>,
    /// The last picture of each camera, whatever it was made for.
    viewed: BTreeMap<CameraId, Snapshot>,
    waiting: BTreeMap<CameraId, Vec<Waiting>>,
    /// Bounded by the policy, because orders that are not answered in time are removed.
    ordered: BTreeMap<SnapshotId, Ordered>,
    next: u64,
}

impl Snapshots {
    pub(super) fn new(settings: SnapshotSettings) -> Self {
        let policy = SnapshotPolicy::new(settings.per_minute);
        let (newest, viewed, waiting, ordered) = Default::default();
        Self { settings, policy, newest, viewed, waiting, ordered, next: 0 }
    }

    /// A picture of a camera is requested. `refusal` is set if no frames of the camera can be expected.
    pub(super) fn request(
        &mut self,
        camera: &CameraId,
        freshness: SnapshotFreshness,
        ticket: SnapshotTicket,
        refusal: Option<SnapshotRefusal>,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        let mut answer = |reply| effects.push(Effect::AnswerSnapshot { ticket, reply });
        if let Some(kept) = self.newest.get(camera).filter(|_| freshness == SnapshotFreshness::Newest) {
            return answer(SnapshotReply::Taken(kept.clone()));
        }
        let is_view = freshness == SnapshotFreshness::Recent;
        let viewed = self.viewed.get(camera).filter(|_| is_view).cloned();
        if let Some(kept) = viewed.as_ref().filter(|kept| now.since(kept.captured_at) <= RECENT) {
            return answer(SnapshotReply::Taken(kept.clone()));
        }
        let is_plain = freshness == SnapshotFreshness::Plain;
        if let Err(refusal) = refusal.map_or_else(|| self.may_wait(camera, is_view, is_plain, now), Err) {
            if let Some(kept) = viewed {
                return answer(SnapshotReply::Taken(kept));
            }
            answer(SnapshotReply::Refused(refusal.clone()));
            return report_limit(camera, &refusal, effects);
        }
        let is_published = freshness == SnapshotFreshness::Published;
        if is_published {
            answer(SnapshotReply::Accepted);
        }
        let ticket = (!is_published).then_some(ticket);
        let waiting = Waiting { deadline: now + FRAME_LIMIT, ticket, is_view, is_plain };
        self.waiting.entry(camera.clone()).or_default().push(waiting);
    }

    /// Checks that a request may wait for the next frame. Only the first waiting request for the same picture counts against
    /// the limit.
    fn may_wait(
        &mut self,
        camera: &CameraId,
        is_view: bool,
        is_plain: bool,
        now: Monotonic,
    ) -> Result<(), SnapshotRefusal> {
        let cause = if is_view { SnapshotCause::View } else { SnapshotCause::Request };
        let alike = |waiting: &Vec<Waiting>| waiting.iter().filter(|one| one.is_plain == is_plain).count();
        match self.waiting.get(camera).map_or(0, alike) {
            0 => self.may_take(camera, cause, now),
            MAX_WAITING => Err(SnapshotRefusal::Busy),
            _ => Ok(()),
        }
    }

    /// Counts a picture against its camera's limit.
    fn may_take(&mut self, camera: &CameraId, cause: SnapshotCause, now: Monotonic) -> Result<(), SnapshotRefusal> {
        if self.policy.is_off() {
            return Err(SnapshotRefusal::Off);
        }
        let limited = |retry_after| SnapshotRefusal::LimitReached { camera: camera.to_string(), retry_after };
        self.policy.may_take(camera, cause, now).map_err(limited)
    }

    /// A unit processed a frame: orders a picture of it for the waiting requests. `connection` is that of its slot;
    /// `None` if it is closed.
    pub(super) fn frame_seen(
        &mut self,
        work: &FrameWork,
        connection: Option<&FrameConnection>,
        boxes: impl FnOnce() -> Vec<NormalizedBox>,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(waiting) = self.waiting.remove(&work.camera) {
            let (plain, drawn): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| one.is_plain);
            if !drawn.is_empty() {
                self.order(work, connection, boxes(), Purpose::Requests(drawn), now, effects);
            }
            if !plain.is_empty() {
                self.order(work, connection, Vec::new(), Purpose::Requests(plain), now, effects);
            }
        }
    }

    /// The frame is the best picture of an event: orders a picture, if the camera's limit allows it.
    pub(super) fn event_seen(
        &mut self,
        work: &FrameWork,
        connection: Option<&FrameConnection>,
        boxes: Vec<NormalizedBox>,
        event: String,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        match self.may_take(&work.camera, SnapshotCause::Event, now) {
            Ok(()) => self.order(work, connection, boxes, Purpose::Event(event), now, effects),
            Err(refusal) => report_limit(&work.camera, &refusal, effects),
        }
    }

    /// Ends orders and requests whose deadlines have passed. `describe` returns a camera's status for the operator.
    pub(super) fn tick(&mut self, describe: impl Fn(&CameraId) -> String, now: Monotonic, effects: &mut Vec<Effect>) {
        if !self.ordered.is_empty() {
            self.end_all(|ordered| now >= ordered.deadline, "the capture process did not answer", now, effects);
        }
        if self.waiting.is_empty() {
            return;
        }
        for (camera, waiting) in &mut self.waiting {
            for one in waiting.extract_if(.., |one| now >= one.deadline) {
                if let Some(kept) = self.viewed.get(camera).filter(|_| one.is_view) {
                    answer(one, &SnapshotReply::Taken(kept.clone()), effects);
                    continue;
                }
                let refusal = SnapshotRefusal::NoFrame { camera: camera.to_string(), state: describe(camera) };
                report_end(camera, SnapshotResult::Failed, Some(refusal.to_string()), effects);
                answer(one, &SnapshotReply::Refused(refusal), effects);
            }
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
    }

    /// True if no request waits and no order is open.
    pub(super) fn are_at_rest(&self) -> bool {
        self.waiting.is_empty() && self.ordered.is_empty()
    }

    /// Extends the deadlines by the `gap` for which the daemon was suspended.
    pub(super) fn paused(&mut self, gap: Duration) {
        let waiting = self.waiting.values_mut().flatten().map(|one| &mut one.deadline);
        for deadline in waiting.chain(self.ordered.values_mut().map(|ordered| &mut ordered.deadline)) {
            *deadline = *deadline + gap;
        }
    }
}

fn answer(waiting: Waiting, reply: &SnapshotReply, effects: &mut Vec<Effect>) {
    if let Some(ticket) = waiting.ticket {
        effects.push(Effect::AnswerSnapshot { ticket, reply: reply.clone() });
    }
}

fn report_end(camera: &CameraId, result: SnapshotResult, why: Option<String>, effects: &mut Vec<Effect>) {
    effects.push(Effect::Report(Report::SnapshotEnded { camera: camera.clone(), result, source: None, why }));
}

/// Counts a reached limit. Refusals because snapshots are off are not counted.
fn report_limit(camera: &CameraId, refusal: &SnapshotRefusal, effects: &mut Vec<Effect>) {
    if matches!(refusal, SnapshotRefusal::LimitReached { .. }) {
        report_end(camera, SnapshotResult::Limited, None, effects);
    }
}

#[cfg(test)]
mod tests;
