//! What the simulation remembers to hold the core to its promises: each frame, image, request and command ends once.

use crate::admission::ImageId;
use crate::core::desired_models::DesiredModels;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::{Effect, Event, Report};
use crate::ipc::messages::{CameraIndex, FromCapture, RegionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The books.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// The region of each connection that was ever opened.
    pub(super) regions: BTreeMap<(usize, CameraIndex), RegionId>,
    /// Frames that the core has taken in and not reported yet, by where they lie.
    pub(super) announced: VecDeque<(RegionId, u16)>,
    /// Frames without an outcome, by where they lie.
    pub(super) frames: BTreeSet<(RegionId, u16)>,
    /// Images without an outcome, and when their callers stop waiting.
    pub(super) images: BTreeMap<ImageId, u64>,
    /// Requests and commands without an answer, and when they were made.
    pub(super) snapshots: BTreeMap<SnapshotTicket, u64>,
    pub(super) commands: BTreeMap<CommandTicket, u64>,
    pub(super) frames_detected: u64,
    pub(super) images_detected: u64,
    pub(super) tickets: u64,
    /// Tells which package looked at a frame, by where the frame lies.
    pub(super) seen_with: BTreeMap<(RegionId, u16), Arc<str>>,
    /// Since when a swap goes on, by model.
    pub(super) swapping_since: BTreeMap<String, u64>,
    /// What a restart would find, once a command has changed something.
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

    /// Where the frame of an event lies, if it announces one.
    pub(super) fn place_of(&self, event: &Event) -> Option<(RegionId, u16)> {
        match event {
            Event::Capture { group, message: FromCapture::Frame { camera, frame } } => {
                Some((*self.regions.get(&(*group, *camera))?, frame.slot))
            }
            _ => None,
        }
    }

    /// The core has applied the event of a frame: it has taken the frame in, if it reports it.
    pub(super) fn announce(&mut self, place: (RegionId, u16), effects: &[Effect]) {
        if effects.iter().any(|effect| matches!(effect, Effect::Report(Report::FrameCaptured(_)))) {
            self.announced.push_back(place);
        }
    }
}
