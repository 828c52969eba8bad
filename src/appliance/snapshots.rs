//! Which pictures are wanted, which are being made, and the newest of each camera.
//!
//! Decides and remembers; the messages are sent by [`super::snapshot_side`]. Nothing here waits for a capture process: an
//! order without an answer costs itself alone, and is forgotten in time.

use crate::admission::FrameWork;
use crate::camera::settings::SnapshotSettings;
use crate::camera::snapshot_policy::{SnapshotOccasion, SnapshotPolicy};
use crate::control::snapshots::{Snapshot, SnapshotRefusal, SnapshotReply};
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::CameraIndex;
use crate::ipc::snapshot_messages::{MAX_SNAPSHOT_BYTES, SnapshotAnswer, SnapshotId, SnapshotOrder};
use crate::vision::camera_id::CameraId;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a frame is waited for that becomes a picture.
const FRAME_LIMIT: Duration = Duration::from_secs(5);

/// How long a capture process may take for a picture. Behind others it takes a tenth of a second.
const ORDER_LIMIT: Duration = Duration::from_secs(4);

/// Those who wait for the next frame of a camera; all get the same picture.
const MAX_WAITING: usize = 16;

/// Somebody who waits for a picture of a camera's next frame.
#[derive(Debug)]
pub(super) struct Waiting {
    deadline: Monotonic,
    /// Where it goes; none: it is kept and published.
    reply: Option<oneshot::Sender<SnapshotReply>>,
}

impl Waiting {
    /// Whoever asked may have gone.
    pub(super) fn answer(self, reply: SnapshotReply) {
        if let Some(asked) = self.reply {
            drop(asked.send(reply));
        }
    }
}

/// A picture that a capture process is making.
#[derive(Debug)]
pub(super) struct Ordered {
    camera: CameraId,
    group: usize,
    /// Where the JPEG will lie.
    region: Region,
    frame: u64,
    captured_at: Monotonic,
    captured_at_ms: Option<i64>,
    event: Option<String>,
    waiting: Vec<Waiting>,
    deadline: Monotonic,
}

/// A frame that becomes a picture, and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) work: &'a FrameWork,
    /// The capture process that wrote it.
    pub(super) group: usize,
    /// The connection that it came over.
    pub(super) index: CameraIndex,
    /// By the wall clock; none while the box does not know the time.
    pub(super) captured_at_ms: Option<i64>,
}

/// For whom a frame becomes a picture.
#[derive(Debug)]
pub(super) enum Reason {
    /// An event, by its id.
    Event(String),
    /// Those who waited for it.
    Waiting(Vec<Waiting>),
}

/// How an order ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) camera: CameraId,
    /// The picture, and whether it is kept and so to be published; or why there is none.
    pub(super) result: Result<(Snapshot, bool), String>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Snapshots {
    settings: SnapshotSettings,
    policy: SnapshotPolicy,
    /// One a camera, each up to [`MAX_SNAPSHOT_BYTES`].
    newest: BTreeMap<CameraId, Snapshot>,
    waiting: BTreeMap<CameraId, Vec<Waiting>>,
    /// Bounded by the policy: what is older than [`ORDER_LIMIT`] is not there any more.
    ordered: BTreeMap<SnapshotId, Ordered>,
    next: u64,
}

impl Snapshots {
    pub(super) fn new(settings: SnapshotSettings) -> Self {
        let policy = SnapshotPolicy::new(settings.per_minute);
        let (newest, waiting, ordered) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { settings, policy, newest, waiting, ordered, next: 0 }
    }

    /// The picture that was kept last.
    pub(super) fn newest(&self, camera: &CameraId) -> Option<&Snapshot> {
        self.newest.get(camera)
    }

    /// Counts a picture against its camera's limit.
    pub(super) fn may_take(
        &mut self,
        camera: &CameraId,
        occasion: SnapshotOccasion,
        now: Monotonic,
    ) -> Result<(), SnapshotRefusal> {
        if self.policy.is_off() {
            return Err(SnapshotRefusal::Off);
        }
        let limited = |retry_after| SnapshotRefusal::LimitReached { camera: camera.to_string(), retry_after };
        self.policy.may_take(camera, occasion, now).map_err(limited)
    }

    /// Whether somebody may wait for the next frame of a camera. Whoever joins others costs no further picture.
    pub(super) fn may_wait(&mut self, camera: &CameraId, now: Monotonic) -> Result<(), SnapshotRefusal> {
        match self.waiting.get(camera).map_or(0, Vec::len) {
            0 => self.may_take(camera, SnapshotOccasion::Request, now),
            MAX_WAITING => Err(SnapshotRefusal::Busy),
            _ => Ok(()),
        }
    }

    /// Lets somebody wait who may. Without somebody to answer the picture is kept and published.
    pub(super) fn wait(&mut self, camera: &CameraId, reply: Option<oneshot::Sender<SnapshotReply>>, now: Monotonic) {
        self.waiting.entry(camera.clone()).or_default().push(Waiting { deadline: now + FRAME_LIMIT, reply });
    }

    /// A frame of the camera is there for those who wait for one.
    pub(super) fn take_waiting(&mut self, camera: &CameraId) -> Vec<Waiting> {
        self.waiting.remove(camera).unwrap_or_default()
    }

    /// Remembers what is being made, and says what is to be sent for it beside the region.
    pub(super) fn order(
        &mut self,
        subject: Subject<'_>,
        boxes: Vec<NormalizedBox>,
        reason: Reason,
        region: Region,
        now: Monotonic,
    ) -> SnapshotOrder {
        let id = SnapshotId(self.next);
        self.next += 1;
        let (event, waiting) = match reason {
            Reason::Event(event) => (Some(event), Vec::new()),
            Reason::Waiting(waiting) => (None, waiting),
        };
        let Subject { work, group, index, captured_at_ms } = subject;
        let ordered = Ordered {
            camera: work.camera.clone(),
            group,
            region,
            frame: work.number,
            captured_at: work.frame.captured_at,
            captured_at_ms,
            event,
            waiting,
            deadline: now + ORDER_LIMIT,
        };
        self.ordered.insert(id, ordered);
        SnapshotOrder {
            id,
            camera: index,
            slot: work.frame.slot,
            picture: work.frame.picture,
            boxes: if self.settings.draw_boxes { boxes } else { Vec::new() },
            max_width_px: self.settings.max_width_px,
            quality: self.settings.quality,
            max_bytes: u32::from(self.settings.max_kilobytes) * 1000,
        }
    }

    /// The region of what is being made.
    pub(super) fn region(&self, id: SnapshotId) -> Option<&Region> {
        self.ordered.get(&id).map(|ordered| &ordered.region)
    }

    /// A capture process has answered. `None`: it was not asked, or nobody waits any more.
    pub(super) fn answered(&mut self, group: usize, answer: SnapshotAnswer) -> Option<Ended> {
        if self.ordered.get(&answer.id)?.group != group {
            return None;
        }
        let ordered = self.ordered.remove(&answer.id)?;
        let jpeg = answer.result.and_then(|bytes| {
            // The other side may say anything.
            let bytes = usize::try_from(bytes).ok().filter(|bytes| (1..=MAX_SNAPSHOT_BYTES).contains(bytes));
            let bytes = bytes.ok_or("its length cannot be")?;
            ordered.region.copy_start(bytes).map_err(|error| error.to_string())
        });
        Some(self.end(ordered, jpeg))
    }

    /// What took too long, and whoever has waited too long for a frame, by camera.
    pub(super) fn tick(&mut self, now: Monotonic) -> (Vec<Ended>, Vec<(CameraId, Waiting)>) {
        let late = self.end_all(|ordered| now >= ordered.deadline, "the capture process did not answer");
        let mut given_up = Vec::new();
        for (camera, waiting) in &mut self.waiting {
            given_up.extend(waiting.extract_if(.., |one| now >= one.deadline).map(|one| (camera.clone(), one)));
        }
        self.waiting.retain(|_, waiting| !waiting.is_empty());
        (late, given_up)
    }

    /// A capture process has ended, and with it what it was making.
    pub(super) fn process_ended(&mut self, group: usize) -> Vec<Ended> {
        self.end_all(|ordered| ordered.group == group, "the capture process has ended")
    }

    fn end_all(&mut self, is_meant: impl Fn(&Ordered) -> bool, why: &str) -> Vec<Ended> {
        let meant: Vec<Ordered> = self.ordered.extract_if(.., |_, ordered| is_meant(ordered)).map(|(_, o)| o).collect();
        meant.into_iter().map(|ordered| self.end(ordered, Err(why.to_owned()))).collect()
    }

    /// Answers whoever waits, and keeps what is to be kept.
    fn end(&mut self, ordered: Ordered, jpeg: Result<Vec<u8>, String>) -> Ended {
        let Ordered { camera, frame, captured_at, captured_at_ms, event, waiting, .. } = ordered;
        let is_for_all = event.is_some() || waiting.iter().any(|one| one.reply.is_none());
        // An answer may overtake an older one.
        let is_newest = self.newest.get(&camera).is_none_or(|kept| kept.captured_at <= captured_at);
        let snapshot = jpeg.map(|jpeg| Snapshot { jpeg: jpeg.into(), frame, captured_at, captured_at_ms, event });
        let reply = match &snapshot {
            Ok(snapshot) => SnapshotReply::Taken(snapshot.clone()),
            Err(why) => SnapshotReply::Refused(SnapshotRefusal::Failed(why.clone())),
        };
        waiting.into_iter().for_each(|one| one.answer(reply.clone()));
        let is_kept = is_for_all && is_newest;
        if let Ok(snapshot) = &snapshot
            && is_kept
        {
            self.newest.insert(camera.clone(), snapshot.clone());
        }
        Ended { camera, result: snapshot.map(|snapshot| (snapshot, is_kept)) }
    }
}

#[cfg(test)]
mod tests;
