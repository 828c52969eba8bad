//! What happens to the box.

use crate::admission::ImageWork;
use crate::control::Command;
use crate::control::snapshots::SnapshotFreshness;
use crate::ipc::messages::{CameraIndex, FromCapture, FromUnit, LoadModel};
use crate::ipc::snapshot_messages::SnapshotId;
use crate::model::package::Package;
use crate::supervisor::unit_state::UnitId;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A command that waits for its answer; the shell holds the reply channel.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CommandTicket(pub u64);

/// A request for a snapshot that waits for its answer; the shell holds the reply channel.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SnapshotTicket(pub u64);

/// A package that is being read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PackageTicket(pub u64);

/// Where a package lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PackageSource {
    /// A directory under `units.models_directory`.
    Named(String),
    /// A package that was brought in, for a model that no settings name.
    Directory(PathBuf),
}

/// A file of state that the core has kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptFile {
    /// What commands have made of the models.
    Models,
    /// Which cameras commands have switched on or off.
    Cameras,
}

impl KeptFile {
    /// Its name in the state directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Models => "models.json",
            Self::Cameras => "cameras.json",
        }
    }
}

/// A package that was read, and what its units are to load.
#[derive(Clone, Debug)]
pub struct LoadedPackage {
    /// Name, labels and thresholds.
    pub package: Arc<Package>,
    /// Sent to its units.
    pub load: LoadModel,
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
    /// A capture process ended that was given up before.
    UndeadCaptureEnded {
        /// The group whose process it was.
        group: usize,
    },
    /// A connection could not be begun: there is no shared memory for it.
    CameraNotOpened {
        /// The group of the camera.
        group: usize,
        /// The connection.
        index: CameraIndex,
        /// For the operator.
        detail: String,
    },
    /// An image came from outside, for a model.
    Image {
        /// The model's name.
        model: String,
        /// The image, and where it lies.
        work: ImageWork,
    },
    /// A request for a picture of a camera.
    SnapshotRequested {
        /// For the answer.
        ticket: SnapshotTicket,
        /// The camera as the caller named it.
        camera: String,
        /// How new the picture must be.
        freshness: SnapshotFreshness,
    },
    /// A capture process has made a picture, or has not.
    SnapshotMade {
        /// The group that answers.
        group: usize,
        /// The order.
        id: SnapshotId,
        /// The JPEG, or why there is none.
        jpeg: Result<Arc<[u8]>, String>,
        /// Milliseconds since 1970; none while the box does not know the time.
        wall_ms: Option<i64>,
    },
    /// A command.
    Command {
        /// For the answer.
        ticket: CommandTicket,
        /// What is to be done.
        command: Command,
    },
    /// A package was read, or cannot be used.
    PackageLoaded {
        /// From [`Effect::LoadPackage`](crate::core::Effect::LoadPackage).
        ticket: PackageTicket,
        /// The package, or why it cannot be used, fit for callers.
        result: Result<Box<LoadedPackage>, String>,
    },
    /// A file of state was written, or the disk refused it.
    Kept {
        /// Commands whose changes it holds.
        tickets: Vec<CommandTicket>,
        /// Why it could not be written; it is tried again.
        result: Result<(), String>,
    },
    /// Memory was measured.
    Memory {
        /// Bytes that the kernel reports as available.
        available_bytes: Option<u64>,
        /// Bytes of each unit's process.
        units: Vec<(UnitId, u64)>,
    },
    /// The daemon was suspended for so long: what children did meanwhile is unknown.
    Paused(Duration),
    /// The daemon stops: no new work is taken.
    Drain,
    /// The time to drain is over.
    Abandon,
    /// Time has passed.
    Tick,
}
