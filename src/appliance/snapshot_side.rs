//! The loop's part that deals with snapshots: orders to capture processes, their answers, and those who ask.
//!
//! An order goes out while its frame's slot is still lent, and so before the slot is given back on the same channel. The
//! capture process takes the frame out of the slot when it reads the order: no slot is ever held for a snapshot.

use crate::admission::FrameWork;
use crate::appliance::event_loop::Appliance;
use crate::appliance::snapshots::{Ended, Reason, Subject};
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::CaptureGroup;
use crate::camera::snapshot_policy::SnapshotOccasion;
use crate::control::snapshots::{AskedSnapshot, SnapshotRefusal, SnapshotReply, SnapshotWish};
use crate::ipc::frame_slots::Region;
use crate::ipc::snapshot_messages::SnapshotAnswer;
use crate::os::clock::{is_wall_clock_synchronized, monotonic_now, wall_now_ms};
use crate::publish::message::CameraStatus;
use crate::supervisor::Answer;
use crate::vision::camera_id::CameraId;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use tokio::sync::oneshot;

impl Appliance {
    /// Has a picture taken of a frame for an event, if the camera's limit allows it. It is kept, published, and named
    /// after the event. Must come before the frame's slot is given back, as in what follows an outcome.
    ///
    /// # Errors
    /// Why there will be none. Whether there is one in the end is seen by what is published, and counted.
    pub fn snapshot_of_event(
        &mut self,
        work: &FrameWork,
        boxes: Vec<NormalizedBox>,
        event: &str,
        now: Monotonic,
    ) -> Result<(), SnapshotRefusal> {
        if let Err(refusal) = self.snapshots.may_take(&work.camera, SnapshotOccasion::Event, now) {
            self.count_limit(&work.camera, &refusal);
            return Err(refusal);
        }
        self.order_snapshot(work, boxes, Reason::Event(event.to_owned()), now);
        Ok(())
    }

    /// A frame was looked at: those who wait for a picture of its camera get this one.
    pub(super) fn snapshot_for_waiting(&mut self, work: &FrameWork, answer: &Answer, now: Monotonic) {
        let waiting = self.snapshots.take_waiting(&work.camera);
        if !waiting.is_empty() {
            let boxes = answer.detections.iter().filter_map(|found| found.bounding_box).collect();
            self.order_snapshot(work, boxes, Reason::Waiting(waiting), now);
        }
    }

    fn order_snapshot(&mut self, work: &FrameWork, boxes: Vec<NormalizedBox>, reason: Reason, now: Monotonic) {
        let fail = |appliance: &mut Self, reason: Reason, why: &str| {
            tracing::warn!(camera = %work.camera, why, "no snapshot is taken");
            appliance.reporter.snapshot_ended(&work.camera, "failed");
            if let Reason::Waiting(waiting) = reason {
                let refused = SnapshotReply::Refused(SnapshotRefusal::Failed(why.to_owned()));
                waiting.into_iter().for_each(|one| one.answer(refused.clone()));
            }
        };
        let Some((group, index)) = self.slots.connection_of(work.region) else {
            return fail(self, reason, "the camera was lost meanwhile");
        };
        let region = match Region::create("ocelli-snapshot", 1) {
            Ok(region) => region,
            Err(error) => return fail(self, reason, &format!("there is no memory for it: {error}")),
        };
        let age = i64::try_from(now.since(work.frame.captured_at).as_millis()).unwrap_or(0);
        let captured_at_ms = is_wall_clock_synchronized().then(|| wall_now_ms() - age);
        let subject = Subject { work, group, index, captured_at_ms };
        let order = self.snapshots.order(subject, boxes, reason, region, now);
        if let Some(region) = self.snapshots.region(order.id) {
            self.captures.snapshot(group, order, region);
        }
    }

    /// A capture process has made a picture, or has not.
    pub(super) fn snapshot_answered(&mut self, group: usize, answer: SnapshotAnswer) {
        match self.snapshots.answered(group, answer) {
            Some(ended) => self.snapshot_ended(ended),
            None => tracing::debug!(group, "a snapshot comes that nobody waits for any more"),
        }
    }

    /// What a capture process was making ends with it.
    pub(super) fn snapshots_lost(&mut self, group: usize) {
        for ended in self.snapshots.process_ended(group) {
            self.snapshot_ended(ended);
        }
    }

    fn snapshot_ended(&mut self, Ended { camera, result }: Ended) {
        match result {
            Ok((snapshot, is_kept)) => {
                self.reporter.snapshot_ended(&camera, "taken");
                if is_kept {
                    self.reporter.snapshot_taken(&camera, &snapshot);
                }
            }
            Err(why) => {
                tracing::warn!(%camera, why, "a snapshot failed");
                self.reporter.snapshot_ended(&camera, "failed");
            }
        }
    }

    /// What time alone brings.
    pub(super) fn tick_snapshots(&mut self, now: Monotonic) {
        let (late, given_up) = self.snapshots.tick(now);
        for ended in late {
            self.snapshot_ended(ended);
        }
        for (camera, waiting) in given_up {
            let state = self.camera(camera.as_str()).map(describe).unwrap_or_default();
            let refusal = SnapshotRefusal::NoFrame { camera: camera.to_string(), state };
            tracing::warn!(%camera, %refusal, "no snapshot is taken");
            self.reporter.snapshot_ended(&camera, "failed");
            waiting.answer(SnapshotReply::Refused(refusal));
        }
    }

    /// Somebody wants a picture.
    pub(super) fn snapshot_asked(&mut self, asked: AskedSnapshot) {
        let AskedSnapshot { camera, wish, reply } = asked;
        let reply_with = match self.camera(&camera) {
            None => {
                let known: Vec<&str> = self.cameras().map(|camera| camera.settings.id.as_str()).collect();
                Err(SnapshotRefusal::NoSuchCamera { camera, known: known.join(", ") })
            }
            Some(found) => {
                let (id, is_coming, state) = (found.settings.id.clone(), is_coming(found), describe(found));
                let kept = self.snapshots.newest(&id).filter(|_| wish == SnapshotWish::Newest);
                match kept {
                    Some(kept) => Ok(SnapshotReply::Taken(kept.clone())),
                    None if !is_coming => Err(SnapshotRefusal::NotStreaming { camera, state }),
                    None => return self.wait_for_snapshot(&id, wish, reply),
                }
            }
        };
        // Whoever asked may have gone.
        drop(reply.send(reply_with.unwrap_or_else(SnapshotReply::Refused)));
    }

    fn wait_for_snapshot(&mut self, camera: &CameraId, wish: SnapshotWish, reply: oneshot::Sender<SnapshotReply>) {
        let now = monotonic_now();
        if let Err(refusal) = self.snapshots.may_wait(camera, now) {
            self.count_limit(camera, &refusal);
            drop(reply.send(SnapshotReply::Refused(refusal)));
        } else if wish == SnapshotWish::Published {
            drop(reply.send(SnapshotReply::Accepted));
            self.snapshots.wait(camera, None, now);
        } else {
            self.snapshots.wait(camera, Some(reply), now);
        }
    }

    fn count_limit(&self, camera: &CameraId, refusal: &SnapshotRefusal) {
        if matches!(refusal, SnapshotRefusal::LimitReached { .. }) {
            self.reporter.snapshot_ended(camera, "limited");
        }
    }

    fn cameras(&self) -> impl Iterator<Item = &Camera> {
        self.groups.iter().flat_map(CaptureGroup::cameras)
    }

    fn camera(&self, id: &str) -> Option<&Camera> {
        self.cameras().find(|camera| camera.settings.id.as_str() == id)
    }
}

/// Frames of it may come soon.
fn is_coming(camera: &Camera) -> bool {
    matches!(camera.message().state, CameraStatus::Streaming | CameraStatus::Connecting)
}

/// What it is doing, and why, for a person.
fn describe(camera: &Camera) -> String {
    let message = camera.message();
    let reason = message.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{reason}", message.state.name())
}
