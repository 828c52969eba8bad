//! The effects that the shell performs.

use crate::admission::{ImageId, Work};
use crate::catalog::Units as CatalogUnits;
use crate::control::images::ImageReply;
use crate::control::snapshots::SnapshotReply;
use crate::control::{Accepted, ControlError};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::event::{CommandTicket, SnapshotTicket};
use crate::core::event::{PackageSource, PackageTicket};
use crate::core::report::Report;
use crate::ipc::messages::{CameraIndex, LoadModel, RegionId, RequestId, Sight};
use crate::ipc::snapshot_messages::{SnapshotId, SnapshotOrder};
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;

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
