//! The bounded input queues of the shell, and the conversion of images to work.
//!
//! When the queue of units or of capture processes is full, the child processes block: a capture process then has no
//! free slot and counts its frames as dropped. Commands, images and snapshot requests are refused.

use crate::admission::{ImageId, ImageWork};
use crate::appliance::reload::ChangeRequest;
use crate::camera::capture_process::CaptureEvent;
use crate::clips::ClipOrder;
use crate::control::CommandRequest;
use crate::control::images::OfferedImage;
use crate::control::snapshots::SnapshotRequest;
use crate::core::Event;
use crate::ipc::messages::RegionId;
use crate::supervisor::unit_process::UnitEvent;
use crate::vision::camera_id::CameraId;
use tokio::sync::mpsc;

/// Queue capacity for the messages of all units, and for those of all capture processes.
pub(super) const CHILD_QUEUE: usize = 256;

/// Queue capacity for results of background work: packages read, files written, memory measured.
pub(super) const OWN_QUEUE: usize = 64;

/// The region that images share. Regions of cameras count up from 0.
pub(super) const IMAGE_REGION: RegionId = RegionId(u32::MAX);

/// An input of the shell.
#[derive(Debug)]
pub(super) enum Input {
    Unit(UnitEvent),
    Capture(CaptureEvent),
    Image(OfferedImage),
    Snapshot(SnapshotRequest),
    /// The first viewer of a camera has come.
    Watched(CameraId),
    /// A clip of an event is to be made.
    Clip(ClipOrder),
    Command(CommandRequest),
    Change(ChangeRequest),
    /// A result of background work.
    Own(Event),
}

/// The input queues.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) units: mpsc::Receiver<UnitEvent>,
    pub(super) captures: mpsc::Receiver<CaptureEvent>,
    pub(super) images: mpsc::Receiver<OfferedImage>,
    pub(super) snapshots: mpsc::Receiver<SnapshotRequest>,
    pub(super) watched: mpsc::Receiver<CameraId>,
    pub(super) clips: mpsc::Receiver<ClipOrder>,
    pub(super) commands: mpsc::Receiver<CommandRequest>,
    /// One at a time.
    pub(super) changes: mpsc::Receiver<ChangeRequest>,
    pub(super) own: mpsc::Receiver<Event>,
}

impl Inbox {
    /// Waits for the next input.
    pub(super) async fn next(&mut self) -> Input {
        tokio::select! {
            Some(event) = self.units.recv() => Input::Unit(event),
            Some(event) = self.captures.recv() => Input::Capture(event),
            Some(offer) = self.images.recv() => Input::Image(offer),
            Some(asked) = self.snapshots.recv() => Input::Snapshot(asked),
            Some(camera) = self.watched.recv() => Input::Watched(camera),
            Some(order) = self.clips.recv() => Input::Clip(order),
            Some(asked) = self.commands.recv() => Input::Command(asked),
            Some(change) = self.changes.recv() => Input::Change(change),
            Some(event) = self.own.recv() => Input::Own(event),
            else => std::future::pending().await,
        }
    }

    /// Takes queued inputs, about `limit` at most, one from each queue in turn.
    pub(super) fn take(&mut self, limit: usize) -> Vec<Input> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let before = taken.len();
            taken.extend(self.units.try_recv().map(Input::Unit));
            taken.extend(self.captures.try_recv().map(Input::Capture));
            taken.extend(self.images.try_recv().map(Input::Image));
            taken.extend(self.snapshots.try_recv().map(Input::Snapshot));
            taken.extend(self.clips.try_recv().map(Input::Clip));
            taken.extend(self.watched.try_recv().map(Input::Watched));
            taken.extend(self.commands.try_recv().map(Input::Command));
            taken.extend(self.changes.try_recv().map(Input::Change));
            taken.extend(self.own.try_recv().map(Input::Own));
            if taken.len() == before {
                break;
            }
        }
        taken
    }

    /// Closes the queues of commands, reloads, snapshot requests and viewers, because the daemon is stopping.
    pub(super) fn close_requests(&mut self) {
        self.commands.close();
        self.changes.close();
        self.clips.close();
        self.snapshots.close();
        self.watched.close();
    }
}

/// The id of the region of a large image, counting down from below the shared region.
fn own_region(id: ImageId) -> RegionId {
    let count = u32::try_from(id.0 % (1 << 30)).unwrap_or(0);
    RegionId(IMAGE_REGION.0 - 1 - count)
}

/// The work item of an image, for the core.
pub(super) fn image_work(id: ImageId, offer: &OfferedImage) -> ImageWork {
    ImageWork {
        id,
        region: if offer.slot.own_region().is_some() { own_region(id) } else { IMAGE_REGION },
        slot: offer.slot.number(),
        bytes: offer.slot.bytes(),
        arrived_at: offer.arrived_at,
        deadline: offer.deadline,
        options: offer.options,
        is_first_try: offer.is_first_try,
        attempts: 0,
        failed_in: None,
    }
}
