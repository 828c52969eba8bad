//! The simulation's own records, to check the core's invariants: each frame, image, request and command ends once.

use crate::admission::ImageId;
use crate::core::desired_models::DesiredModels;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::{Effect, Event, Report};
use crate::ipc::messages::{CameraIndex, FromCapture, RegionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The records.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// The region of each connection that was ever opened.
    pub(super) regions: BTreeMap<(usize, CameraIndex), RegionId>,
    /// Accepted frames that the core has not reported yet, by region and slot.
    pub(super) announced: VecDeque<(RegionId, u16)>,
    /// Frames without an outcome, by region and slot.
    pub(super) frames: BTreeSet<(RegionId, u16)>,
    /// Images without an outcome, with the time when their clients stop waiting.
    pub(super) images: BTreeMap<ImageId, u64>,
    /// Requests and commands without a reply, with the time when they were made.
    pub(super) snapshots: BTreeMap<SnapshotTicket, u64>,
    pub(super) commands: BTreeMap<CommandTicket, u64>,
    pub(super) frames_detected: u64,
    pub(super) images_detected: u64,
    pub(super) tickets: u64,
    /// The package that analysed a frame, by region and slot.
    pub(super) seen_with: BTreeMap<(RegionId, u16), Arc<str>>,
    /// The start of the swap in progress, by model.
    pub(super) swapping_since: BTreeMap<String, u64>,
    /// The stored models that a restart would read; `None` before the first change by a command.
    pub(super) kept: Option<Box<DesiredModels>>,
}

impl Books {
    /// Frames and images without an outcome.
    pub(super) fn open(&self) -> u64 {
        (self.frames.len() + self.images.len()) as u64
    }

    /// A ticket that was not used before.
    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// The region and slot of the frame that an event announces, if any.
    pub(super) fn place_of(&self, event: &Event) -> Option<(RegionId, u16)> {
        match event {
            Event::Capture { group, message: FromCapture::Frame { camera, frame } } => {
                Some((*self.regions.get(&(*group, *camera))?, frame.slot))
            }
            _ => None,
        }
    }

    /// Records a frame whose event the core has applied, if the core accepted and reported it.
    pub(super) fn announce(&mut self, place: (RegionId, u16), effects: &[Effect]) {
        if effects.iter().any(|effect| matches!(effect, Effect::Report(Report::FrameCaptured(_)))) {
            self.announced.push_back(place);
        }
    }
}
