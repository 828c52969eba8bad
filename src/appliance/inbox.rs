//! The queues that lead to the shell, all bounded, and how what they hold becomes events.
//!
//! When the queue of units, or of capture processes, is full, the children wait in turn: a capture process then finds no
//! free slot and counts its frames as dropped. Commands, images and snapshot requests are refused to their callers.

use crate::admission::{ImageId, ImageWork};
use crate::camera::capture_process::CaptureEvent;
use crate::control::CommandRequest;
use crate::control::images::OfferedImage;
use crate::control::snapshots::SnapshotRequest;
use crate::core::Event;
use crate::ipc::messages::RegionId;
use crate::supervisor::unit_process::UnitEvent;
use tokio::sync::mpsc;

/// Messages of all units, or of all capture processes, that wait for the shell.
pub(super) const CHILD_QUEUE: usize = 256;

/// Results of the shell's own helpers that wait: packages that were read, files that were written, memory.
pub(super) const OWN_QUEUE: usize = 64;

/// The region of all images; those of cameras count up from 0.
pub(super) const IMAGE_REGION: RegionId = RegionId(u32::MAX);

/// Something that came in.
#[derive(Debug)]
pub(super) enum Input {
    Unit(UnitEvent),
    Capture(CaptureEvent),
    Image(OfferedImage),
    Snapshot(SnapshotRequest),
    Command(CommandRequest),
    /// From one of the shell's helpers.
    Own(Event),
}

/// All queues.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) units: mpsc::Receiver<UnitEvent>,
    pub(super) captures: mpsc::Receiver<CaptureEvent>,
    pub(super) images: mpsc::Receiver<OfferedImage>,
    pub(super) snapshots: mpsc::Receiver<SnapshotRequest>,
    pub(super) commands: mpsc::Receiver<CommandRequest>,
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
            Some(asked) = self.commands.recv() => Input::Command(asked),
            Some(event) = self.own.recv() => Input::Own(event),
            else => std::future::pending().await,
        }
    }

    /// Takes what is queued, at most `limit` of it, a few of each queue in turn.
    pub(super) fn take(&mut self, limit: usize) -> Vec<Input> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let before = taken.len();
            taken.extend(self.units.try_recv().map(Input::Unit));
            taken.extend(self.captures.try_recv().map(Input::Capture));
            taken.extend(self.images.try_recv().map(Input::Image));
            taken.extend(self.snapshots.try_recv().map(Input::Snapshot));
            taken.extend(self.commands.try_recv().map(Input::Command));
            taken.extend(self.own.try_recv().map(Input::Own));
            if taken.len() == before {
                break;
            }
        }
        taken
    }

    /// The daemon stops: no command and no request for a snapshot is taken any more.
    pub(super) fn close_requests(&mut self) {
        self.commands.close();
        self.snapshots.close();
    }
}

/// The region of an image that has one to itself: counting down from below that of all images.
fn own_region(id: ImageId) -> RegionId {
    let count = u32::try_from(id.0 % (1 << 30)).unwrap_or(0);
    RegionId(IMAGE_REGION.0 - 1 - count)
}

/// What the core is told of an image.
pub(super) fn image_work(id: ImageId, offer: &OfferedImage) -> ImageWork {
    ImageWork {
        id,
        region: if offer.slot.own_region().is_some() { own_region(id) } else { IMAGE_REGION },
        slot: offer.slot.number(),
        bytes: offer.slot.bytes(),
        arrived_at: offer.arrived_at,
        deadline: offer.deadline,
        options: offer.options,
        attempts: 0,
        failed_in: None,
    }
}
