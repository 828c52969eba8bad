//! The events that the core handles.

use crate::admission::ImageWork;
use crate::control::Command;
use crate::control::snapshots::SnapshotFreshness;
use crate::core::change::BoxChange;
use crate::core::loaded_package::LoadedPackage;
use crate::ipc::messages::{CameraIndex, FromCapture, FromUnit, LossKind};
use crate::ipc::snapshot_messages::SnapshotId;
use crate::supervisor::unit_state::UnitId;
use crate::vision::picture_source::PictureSource;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Identifies a command that waits for its reply; the shell holds the reply channel.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CommandTicket(pub u64);

/// Identifies a snapshot request that waits for its reply; the shell holds the reply channel.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SnapshotTicket(pub u64);

/// Identifies a package that is being read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PackageTicket(pub u64);

/// Where a package is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PackageSource {
    /// A directory under `units.models_directory`.
    Named(String),
    /// A directory of the catalog, for a model that no settings name.
    Directory(PathBuf),
}

/// A state file of the core.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptFile {
    /// The desired state of the models.
    Models,
    /// The cameras that commands have switched on or off.
    Cameras,
}

impl KeptFile {
    /// The file's name in the state directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "models.json",
            Self::Cameras => "cameras.json",
        }
    }
}

/// A picture that a capture process made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MadePicture {
    /// The JPEG; the daemon does not parse it.
    pub jpeg: Arc<[u8]>,
    /// What it shows.
    pub source: PictureSource,
}

/// Something that happened to the box.
#[derive(Debug)]
pub enum Event {
    /// A unit sent a message.
    Unit {
        /// The sender.
        unit: UnitId,
        /// The message as it was received.
        message: FromUnit,
    },
    /// A unit's process has ended, or could not be started.
    UnitEnded {
        /// The unit.
        unit: UnitId,
    },
    /// A capture process sent a message. Pictures come as [`Event::SnapshotMade`].
    Capture {
        /// The group whose process sent it.
        group: usize,
        /// The message as it was received.
        message: FromCapture,
    },
    /// A capture process has ended, or could not be started.
    CaptureEnded {
        /// The group whose process it was.
        group: usize,
        /// How it ended, for the operator.
        detail: String,
    },
    /// A capture process ended that had been given up.
    UndeadCaptureEnded {
        /// The group whose process it was.
        group: usize,
    },
    /// A connection could not be opened: its shared memory could not be created, or the file of its URL not be opened.
    CameraNotOpened {
        /// The group of the camera.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// Selects the backoff.
        kind: LossKind,
        /// The reason, for the operator.
        detail: String,
    },
    /// An image arrived for a model.
    Image {
        /// The model's name.
        model: String,
        /// The image, with its region and slot.
        work: ImageWork,
    },
    /// A snapshot was requested.
    SnapshotRequested {
        /// Identifies the reply.
        ticket: SnapshotTicket,
        /// The camera's id, not checked yet.
        camera: String,
        /// How new the picture must be.
        freshness: SnapshotFreshness,
    },
    /// A capture process replied to a snapshot order.
    SnapshotMade {
        /// The group whose process replied.
        group: usize,
        /// The order.
        id: SnapshotId,
        /// The picture, or why there is none.
        made: Result<MadePicture, String>,
        /// The wall clock in Unix milliseconds; `None` while it is not synchronised.
        wall_ms: Option<i64>,
    },
    /// A command was received.
    Command {
        /// Identifies the reply.
        ticket: CommandTicket,
        /// The command.
        command: Command,
    },
    /// The settings changed.
    Changed {
        /// Identifies the reply.
        ticket: CommandTicket,
        /// The difference between the settings in force and the new ones.
        change: Box<BoxChange>,
    },
    /// A package was read, or cannot be used.
    PackageLoaded {
        /// The ticket of [`Effect::LoadPackage`](crate::core::Effect::LoadPackage).
        ticket: PackageTicket,
        /// The package, or the reason for callers why it cannot be used.
        result: Result<Box<LoadedPackage>, String>,
    },
    /// What computes a model fastest here was measured.
    EngineChosen {
        /// The model.
        model: String,
        /// From where its package is read again, with the load of the engine.
        source: PackageSource,
        /// The digest of the package that was measured.
        digest: String,
    },
    /// A state file was written, or the disk refused it.
    Kept {
        /// The commands whose changes the file includes.
        tickets: Vec<CommandTicket>,
        /// The disk's error, if any. The shell retries the write.
        result: Result<(), String>,
    },
    /// Memory was measured.
    Memory {
        /// Bytes that the kernel reports as available.
        available_bytes: Option<u64>,
        /// The size of each unit's process in bytes.
        units: Vec<(UnitId, u64)>,
    },
    /// The daemon was suspended for this time. What its child processes did meanwhile is unknown.
    Paused(Duration),
    /// The daemon is stopping: no new work is accepted.
    Drain,
    /// The drain deadline has passed.
    Abandon,
    /// Time has passed.
    Tick,
}
