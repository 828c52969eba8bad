//! What the shell is to do.

use crate::admission::{FrameWork, ImageId, Work};
use crate::catalog::Units as CatalogUnits;
use crate::control::images::ImageReply;
use crate::control::snapshots::{Snapshot, SnapshotReply};
use crate::control::{Accepted, ControlError};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::event::{PackageSource, PackageTicket};
use crate::ipc::messages::{CameraIndex, LoadModel, RegionId, RequestId};
use crate::ipc::snapshot_messages::{SnapshotId, SnapshotOrder};
use crate::model::package::Package;
use crate::publish::label_counts::LabelCount;
use crate::supervisor::Answer;
use crate::supervisor::autoscaler::ScaleReason;
use crate::supervisor::unit_state::UnitId;
use crate::tracking::{TrackEvent, TrackedFrame};
use crate::vision::camera_id::CameraId;
use crate::vision::outcome::Outcome;
use std::sync::Arc;

/// Something to do. Effects are carried out in their order.
#[derive(Debug)]
pub enum Effect {
    /// Start a unit's process and have it load a model.
    StartUnit {
        /// The unit.
        unit: UnitId,
        /// What it loads.
        load: Box<LoadModel>,
    },
    /// Tell an idle unit to exit.
    StopUnit {
        /// The unit.
        unit: UnitId,
    },
    /// End a unit's process at once.
    KillUnit {
        /// The unit.
        unit: UnitId,
        /// For the log.
        why: &'static str,
    },
    /// Hand work to a unit, which answers each item by itself.
    Dispatch {
        /// The unit.
        unit: UnitId,
        /// Each item with the request that its answer names.
        items: Vec<(RequestId, Work)>,
    },
    /// A region is no longer needed: units unmap it, and it is freed.
    ForgetRegion(RegionId),
    /// Start the capture process of a group.
    StartCapture {
        /// The group.
        group: usize,
    },
    /// End a capture process at once.
    KillCapture {
        /// The group.
        group: usize,
        /// For the log.
        why: &'static str,
    },
    /// Create a region for a camera and have it connected.
    OpenCamera {
        /// The group whose process connects it.
        group: usize,
        /// The camera.
        camera: CameraId,
        /// The connection.
        index: CameraIndex,
        /// The region to be created.
        region: RegionId,
        /// Slots of the region.
        slots: u16,
    },
    /// Have a connection closed.
    CloseCamera {
        /// The group whose process holds it.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// The camera, if it is closed because it was silent for too long; for the log.
        silent: Option<CameraId>,
    },
    /// A slot may be written again.
    ReleaseSlot {
        /// The group of the connection.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// The slot.
        slot: u16,
    },
    /// Have a camera hand over so many frames a second; 0: each one.
    PaceCamera {
        /// The group of the connection.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// Frames a second.
        fps: f32,
    },
    /// Have a capture process make a JPEG of a frame whose slot is still lent.
    TakeSnapshot {
        /// The group whose process holds the frame.
        group: usize,
        /// What is to be made.
        order: Box<SnapshotOrder>,
    },
    /// No picture is expected for this order any more: its memory is freed.
    ForgetSnapshot(SnapshotId),
    /// Read a package from the disk; answered by [`Event::PackageLoaded`](crate::core::Event::PackageLoaded).
    LoadPackage {
        /// For the answer.
        ticket: PackageTicket,
        /// The model that is to run it.
        model: String,
        /// Where it lies.
        source: PackageSource,
    },
    /// Keep what commands have made of the models; answered by [`Event::Kept`](crate::core::Event::Kept).
    KeepModels {
        /// The whole content of the file.
        models: Box<DesiredModels>,
        /// The command that changed it, if one did.
        ticket: Option<CommandTicket>,
    },
    /// Keep which cameras are switched on or off; answered by [`Event::Kept`](crate::core::Event::Kept).
    KeepCameras {
        /// The whole content of the file.
        cameras: Box<CameraSwitches>,
        /// The command that changed it, if one did.
        ticket: Option<CommandTicket>,
    },
    /// Keep what became of a version that the settings do not name.
    KeepVersion {
        /// The model that runs it.
        model: String,
        /// How many units it has.
        units: CatalogUnits,
        /// It is to run.
        is_wanted: bool,
    },
    /// A model of the settings runs this version now.
    KeepConfigured {
        /// The model.
        model: String,
        /// The version by its manifest.
        version: String,
    },
    /// Answer a command.
    AnswerCommand {
        /// From the command.
        ticket: CommandTicket,
        /// Whether it was accepted.
        result: Result<Accepted, ControlError>,
    },
    /// Answer whoever sent an image, and free its slot.
    AnswerImage {
        /// The image.
        image: ImageId,
        /// How it ended.
        reply: ImageReply,
    },
    /// Answer a request for a snapshot.
    AnswerSnapshot {
        /// From the request.
        ticket: SnapshotTicket,
        /// The picture, or why there is none.
        reply: SnapshotReply,
    },
    /// Publish, count or log something.
    Report(Report),
}

/// The id of an event, as it is published: unique over restarts, since `boot_id` is new at each.
pub fn event_id(boot_id: &str, seq: u64) -> String {
    format!("{boot_id}-{seq}")
}

/// What a unit found in a frame, and what of it counts for the camera's scene.
#[derive(Debug)]
pub struct FrameResult {
    /// From the unit.
    pub answer: Answer,
    /// The model that produced it.
    pub package: Arc<Package>,
    /// The tracks of its detections, and which of them the camera's rules keep.
    pub tracked: TrackedFrame,
}

/// Something to publish, count or log.
#[derive(Debug)]
pub enum Report {
    /// A frame was announced.
    FrameCaptured(CameraId),
    /// A frame was due, and its capture process had no free slot.
    FrameWithoutSlot(CameraId),
    /// A frame has its outcome.
    FrameEnded {
        /// The frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// There if it was detected.
        result: Option<Box<FrameResult>>,
    },
    /// An object or a label began, changed or ended.
    Event {
        /// Its number on this box.
        seq: u64,
        /// The camera.
        camera: CameraId,
        /// The event as the tracker reports it.
        event: Box<TrackEvent>,
        /// The model that saw it.
        package: Arc<Package>,
    },
    /// A camera has a model for the first time, or another one: the labels that may be seen.
    Labels {
        /// The camera.
        camera: CameraId,
        /// All labels that matter.
        labels: Vec<String>,
    },
    /// Numbers of things in view have changed.
    LabelCounts {
        /// The camera.
        camera: CameraId,
        /// The new numbers.
        counts: Vec<LabelCount>,
    },
    /// A picture of a camera is to be published.
    SnapshotTaken {
        /// The camera.
        camera: CameraId,
        /// The picture.
        snapshot: Snapshot,
    },
    /// How an attempt to take a snapshot ended.
    SnapshotEnded {
        /// The camera.
        camera: CameraId,
        /// The metric's label.
        result: SnapshotResult,
        /// Why it failed, for the log.
        why: Option<String>,
    },
    /// A capture process was started again.
    CaptureRestarted,
    /// The number of units changes; for the log.
    Scaled {
        /// The model.
        model: String,
        /// Units before.
        from: usize,
        /// Units to come.
        to: usize,
        /// What made the autoscaler decide so.
        reason: ScaleReason,
    },
}

/// How an attempt to take a snapshot ended, as its metric says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotResult {
    /// There is a picture.
    Taken,
    /// The camera's limit of a minute was reached.
    Limited,
    /// There is none.
    Failed,
}

impl SnapshotResult {
    /// The label of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}
