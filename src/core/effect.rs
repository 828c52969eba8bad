//! The effects that the shell performs.

use crate::admission::{FrameWork, ImageId, Work};
use crate::catalog::Units as CatalogUnits;
use crate::control::images::ImageReply;
use crate::control::snapshots::{Snapshot, SnapshotReply};
use crate::control::{Accepted, ControlError};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::event::{PackageSource, PackageTicket};
use crate::ipc::messages::{CameraIndex, LoadModel, RegionId, RequestId, Sight};
use crate::ipc::snapshot_messages::{SnapshotId, SnapshotOrder};
use crate::model::package::Package;
use crate::publish::label_counts::LabelCount;
use crate::supervisor::Answer;
use crate::supervisor::autoscaler::ScaleReason;
use crate::supervisor::unit_state::UnitId;
use crate::tracking::{TrackEvent, TrackedFrame};
use crate::vision::camera_id::CameraId;
use crate::vision::outcome::{Outcome, ShedReason};
use crate::vision::picture_source::PictureSource;
use std::sync::Arc;

/// Something that the shell is to do. Effects are performed in their order.
#[derive(Debug)]
pub enum Effect {
    /// Start a unit's process and send it the model to load.
    StartUnit {
        /// The unit.
        unit: UnitId,
        /// The name of its model.
        model: String,
        /// The load message.
        load: Box<LoadModel>,
    },
    /// Ask an idle unit to exit.
    StopUnit {
        /// The unit.
        unit: UnitId,
    },
    /// Kill a unit's process.
    KillUnit {
        /// The unit.
        unit: UnitId,
        /// The reason, for the log.
        why: &'static str,
    },
    /// Send a batch to a unit, which replies to each item separately.
    Dispatch {
        /// The unit.
        unit: UnitId,
        /// The items, each with the request id that its reply names.
        items: Vec<(RequestId, Work)>,
    },
    /// A region is no longer needed: units unmap it, and it is freed.
    ForgetRegion(RegionId),
    /// Start the capture process of a group.
    StartCapture {
        /// The group.
        group: usize,
        /// The cameras of the group.
        cameras: Vec<CameraId>,
    },
    /// Ask a capture process to exit: it has no cameras any more.
    StopCapture {
        /// The group.
        group: usize,
    },
    /// Kill a capture process.
    KillCapture {
        /// The group.
        group: usize,
        /// The reason, for the log.
        why: &'static str,
    },
    /// Create a region for a camera and let its capture process connect.
    OpenCamera {
        /// The group whose process connects it.
        group: usize,
        /// The camera.
        camera: CameraId,
        /// The connection.
        index: CameraIndex,
        /// The region to be created.
        region: RegionId,
        /// The number of slots of the region.
        slots: u16,
    },
    /// Let the capture process of a camera connect its main stream.
    OpenMain {
        /// The group whose process connects it.
        group: usize,
        /// The camera.
        camera: CameraId,
        /// The connection.
        index: CameraIndex,
    },
    /// Close a connection.
    CloseCamera {
        /// The group whose process holds it.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// What was silent for too long, if that is the reason; for the log.
        silent: Option<SilentStream>,
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
    /// Limit the frames of a camera.
    PaceCamera {
        /// The group of the connection.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// The limit in frames a second; 0: no limit.
        fps: f32,
        /// The limit of the settings.
        wanted: f32,
    },
    /// Tell the capture process what a unit saw in a frame of a camera that is watched.
    TellSight {
        /// The group of the connection.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// What it saw.
        sight: Sight,
    },
    /// Order a JPEG of a frame from a capture process. The frame's slot is still lent.
    TakeSnapshot {
        /// The group whose process holds the frame.
        group: usize,
        /// The order.
        order: Box<SnapshotOrder>,
    },
    /// Free the memory of an order: its picture is no longer expected.
    ForgetSnapshot(SnapshotId),
    /// Read a package from the disk; the result is an [`Event::PackageLoaded`](crate::core::Event::PackageLoaded).
    LoadPackage {
        /// Identifies the result.
        ticket: PackageTicket,
        /// The model that is to run it.
        model: String,
        /// Where the package is.
        source: PackageSource,
    },
    /// Store the desired models; the result is an [`Event::Kept`](crate::core::Event::Kept).
    KeepModels {
        /// The whole content of the file.
        models: Box<DesiredModels>,
        /// The command that changed it, if one did.
        ticket: Option<CommandTicket>,
    },
    /// Store the camera switches; the result is an [`Event::Kept`](crate::core::Event::Kept).
    KeepCameras {
        /// The whole content of the file.
        cameras: Box<CameraSwitches>,
        /// The command that changed it, if one did.
        ticket: Option<CommandTicket>,
    },
    /// Store the state of a version that the settings do not name in the catalog.
    KeepVersion {
        /// The model that runs it.
        model: String,
        /// The bounds for its number of units.
        units: CatalogUnits,
        /// True if it is to run.
        is_wanted: bool,
    },
    /// Store the version that a model of the settings runs now in the catalog.
    KeepConfigured {
        /// The model.
        model: String,
        /// The version in the package's manifest.
        version: String,
    },
    /// Answer a command.
    AnswerCommand {
        /// The command's ticket.
        ticket: CommandTicket,
        /// Whether it was accepted.
        result: Result<Accepted, ControlError>,
    },
    /// Reply to the sender of an image, and free its slot.
    AnswerImage {
        /// The image.
        image: ImageId,
        /// How it ended.
        reply: ImageReply,
    },
    /// Answer a request for a snapshot.
    AnswerSnapshot {
        /// The request's ticket.
        ticket: SnapshotTicket,
        /// The picture, or why there is none.
        reply: SnapshotReply,
    },
    /// Publish, count or log something.
    Report(Report),
}

/// A stream that was silent for too long.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SilentStream {
    /// The camera.
    pub camera: CameraId,
    /// True if it is the camera's main stream.
    pub is_main: bool,
}

/// The published id of an event. It is unique across restarts, because each start has a new `boot_id`.
pub fn event_id(boot_id: &str, seq: u64) -> String {
    format!("{boot_id}-{seq}")
}

/// The unit's result for a frame, and what the tracker makes of it.
#[derive(Debug)]
pub struct FrameResult {
    /// The unit's result.
    pub answer: Answer,
    /// The package that produced it.
    pub package: Arc<Package>,
    /// The tracks of its detections, and which of them the camera's rules keep.
    pub tracked: TrackedFrame,
}

/// Something to publish, count or log.
#[derive(Debug)]
pub enum Report {
    /// A frame was announced.
    FrameCaptured(CameraId),
    /// A capture process kept a frame that was due to itself.
    FrameKeptBack(CameraId, ShedReason),
    /// A frame has its outcome.
    FrameEnded {
        /// The frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// The result, if the frame was detected.
        result: Option<Box<FrameResult>>,
    },
    /// An object or a label began, changed or ended.
    Event {
        /// The sequence number, unique until the daemon restarts.
        seq: u64,
        /// The camera.
        camera: CameraId,
        /// The tracker's event.
        event: Box<TrackEvent>,
        /// The package that produced the detections.
        package: Arc<Package>,
    },
    /// A camera's model got its first result, or has other labels than before.
    Labels {
        /// The camera.
        camera: CameraId,
        /// All labels that the camera may report.
        labels: Vec<String>,
        /// True if its scene lists them; else they are all labels of its model.
        are_listed: bool,
    },
    /// Counts of objects in view have changed.
    LabelCounts {
        /// The camera.
        camera: CameraId,
        /// The changed counts.
        counts: Vec<LabelCount>,
    },
    /// A picture of a camera, to be published.
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
        /// What the picture shows, if there is one.
        source: Option<PictureSource>,
        /// The reason of a failure, for the log.
        why: Option<String>,
    },
    /// A capture process ended and will be restarted.
    CaptureRestarted,
    /// The desired number of units of a model changed. For the log.
    Scaled {
        /// The model.
        model: String,
        /// The desired number before.
        from: usize,
        /// The desired number now.
        to: usize,
        /// The scaling rule that applied.
        reason: ScaleReason,
    },
}

/// How an attempt to take a snapshot ended, for its metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotResult {
    /// A picture was taken.
    Taken,
    /// The camera's limit per minute was reached.
    Limited,
    /// No picture could be taken.
    Failed,
}

impl SnapshotResult {
    /// The value of the metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}
