//! All that the outside can ask of a running appliance, and all that it can see.
//!
//! Whoever shows something (the terminal view, health, HTTP) gets an [`ApplianceStatus`] and never a
//! lock, a unit or a camera; whoever wants something sends a [`Command`] and is answered.

pub mod images;
pub mod snapshots;
pub(crate) mod unit_numbers;

use crate::admission::Ledger;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Resource;
use crate::catalog::entries::MAX_IMPORTS;
use crate::catalog::import::PackageSource;
use crate::control::images::ImageIntake;
use crate::control::snapshots::{AskedSnapshot, SnapshotDesk};
use crate::metering::{HourRow, HoursFiles, this_month};
use crate::publish::message::CameraStateMessage;
use crate::supervisor::pool::UnitBounds;
use crate::supervisor::{FleetError, ModelState, ModelStatus};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use crate::publish::outbox::{EventLog, NewEvent};

/// What can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start a stopped model.
    StartModel {
        /// Which.
        model: String,
        /// Other numbers of units than before.
        bounds: Option<UnitBounds>,
    },
    /// Stop a model; what its units do is finished.
    StopModel {
        /// Which.
        model: String,
    },
    /// Change the number of units without an interruption.
    ScaleModel {
        /// Which.
        model: String,
        /// How many.
        bounds: UnitBounds,
    },
    /// Bring in another version without an interruption.
    SwapModel {
        /// Which.
        model: String,
        /// Its directory under `units.models_directory`.
        package: String,
    },
    /// Start a model that no settings name, from a package that was brought in.
    RunPackage {
        /// The name under which it runs.
        model: String,
        /// Where the package lies.
        directory: PathBuf,
        /// How many units.
        bounds: UnitBounds,
    },
    /// Connect a camera, or leave it alone.
    SwitchCamera {
        /// Which.
        camera: String,
        /// True: frames are wanted from it.
        enabled: bool,
    },
    /// Forget such a model when it is stopped.
    RemoveModel {
        /// Which.
        model: String,
    },
}

/// A package that is to be brought in for a version that waits for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImportJob {
    /// Which.
    pub(crate) version: Resource,
    /// Where it lies now.
    pub(crate) source: PackageSource,
}

impl Command {
    /// The model or the camera that it is about.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::StartModel { model, .. }
            | Self::StopModel { model }
            | Self::ScaleModel { model, .. }
            | Self::SwapModel { model, .. }
            | Self::RunPackage { model, .. }
            | Self::RemoveModel { model } => model,
            Self::SwitchCamera { camera, .. } => camera,
        }
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ControlError {
    /// The model, its state, or what the box can carry.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The package that was named.
    #[error("{0}")]
    Package(String),
    /// No camera of the settings has this id.
    #[error("there is no camera `{0}` in the settings")]
    NoSuchCamera(String),
    /// It is stopping, or too many commands wait.
    #[error("the appliance takes no commands now")]
    Busy,
}

/// Commands that wait; above it they are refused.
const COMMAND_QUEUE: usize = 16;

/// A command that was accepted: it has begun, which is not to say that it is done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accepted {
    /// What the caller should know: a restart would forget the change, because the disk refuses it.
    pub warning: Option<String>,
}

/// A command and where its answer goes.
pub(crate) type Asked = (Command, oneshot::Sender<Result<Accepted, ControlError>>);

/// The outside's end.
#[derive(Clone, Debug)]
pub struct Control {
    commands: mpsc::Sender<Asked>,
    status: watch::Receiver<ApplianceStatus>,
    hours: HoursFiles,
    imports: mpsc::Sender<ImportJob>,
    /// The way in for images.
    pub images: ImageIntake,
    /// The way to pictures of cameras.
    pub snapshots: SnapshotDesk,
    /// What began, changed and ended; none when nobody keeps it.
    pub(crate) events: Option<EventLog>,
    /// Projects, versions and tags.
    pub(crate) catalog: CatalogStore,
}

/// The appliance's ends of what the outside sends.
#[derive(Debug)]
pub struct ControlQueues {
    /// Commands.
    pub(crate) commands: mpsc::Receiver<Asked>,
    /// Packages to bring in.
    pub(crate) imports: mpsc::Receiver<ImportJob>,
    /// Pictures that are wanted.
    pub(crate) snapshots: mpsc::Receiver<AskedSnapshot>,
}

impl Control {
    /// The outside's end, and the queues that the appliance empties.
    pub fn new(
        status: watch::Receiver<ApplianceStatus>,
        hours: HoursFiles,
        images: ImageIntake,
        catalog: CatalogStore,
        events: Option<EventLog>,
    ) -> (Self, ControlQueues) {
        let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
        let (imports, import_queue) = mpsc::channel(MAX_IMPORTS);
        let (snapshots, snapshot_queue) = SnapshotDesk::new();
        let control = Self { commands, status, hours, imports, images, snapshots, events, catalog };
        (control, ControlQueues { commands: command_queue, imports: import_queue, snapshots: snapshot_queue })
    }

    /// Has a package brought in. The catalog's own bound keeps the queue from filling up.
    ///
    /// # Errors
    /// [`ControlError::Busy`].
    pub(crate) async fn import(&self, job: ImportJob) -> Result<(), ControlError> {
        self.imports.send(job).await.map_err(|_| ControlError::Busy)
    }

    /// Sends a command, and waits for the answer: that it has begun, and that the disk holds it.
    ///
    /// # Errors
    /// [`ControlError`]; nothing has changed then.
    pub async fn ask(&self, command: Command) -> Result<Accepted, ControlError> {
        let (answer, answered) = oneshot::channel();
        self.commands.try_send((command, answer)).map_err(|_| ControlError::Busy)?;
        answered.await.unwrap_or(Err(ControlError::Busy))
    }

    /// The inference hours of a month (`2026-11`; without one, this month) as they are on disk, and which month it is.
    ///
    /// # Errors
    /// `InvalidInput` for what is no month; else what the kernel says.
    pub(crate) async fn hours(&self, month: Option<String>) -> std::io::Result<(String, Vec<HourRow>)> {
        let month = month.unwrap_or_else(this_month);
        let (files, wanted) = (self.hours.clone(), month.clone());
        let read = tokio::task::spawn_blocking(move || files.read(&wanted)).await;
        Ok((month, read.map_err(std::io::Error::other)??))
    }

    /// Where a model was in its life within the last half second.
    pub(crate) fn model_state(&self, name: &str) -> Option<ModelState> {
        self.read(|status| status.models.get(name).map(|model| model.state))
    }

    /// Reads the status as it was within the last half second. Holds the status lock: keep the closure short, and do not
    /// call `read` inside it (deadlock).
    pub(crate) fn read<T>(&self, look: impl FnOnce(&ApplianceStatus) -> T) -> T {
        look(&self.status.borrow())
    }

    /// The appliance as it was within the last half second, to keep.
    pub fn status(&self) -> ApplianceStatus {
        self.status.borrow().clone()
    }
}

/// One camera at one moment.
#[derive(Clone, Debug)]
pub struct CameraView {
    /// As published.
    pub state: CameraStateMessage,
    /// How its frames ended.
    pub ledger: Ledger,
    /// Frames decoded since the daemon started.
    pub decoded: u64,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// What the newest analysed frame showed: labels and how many of each.
    pub seen: BTreeMap<String, u32>,
}

/// The appliance at one moment.
#[derive(Clone, Debug, Default)]
pub struct ApplianceStatus {
    /// By id.
    pub cameras: BTreeMap<CameraId, CameraView>,
    /// By name.
    pub models: BTreeMap<String, ModelStatus>,
    /// Inference hours by model and version, since the month began.
    pub inference_hours: BTreeMap<(String, String), f64>,
    /// Capture processes started again since the daemon started.
    pub capture_restarts: u64,
    /// Frames that wait or are worked on.
    pub in_flight: u64,
    /// Slots of shared memory that are lent to units.
    pub lent_slots: u32,
    /// How often each label was seen since the daemon started.
    pub labels_seen: BTreeMap<String, u64>,
    /// Messages handed to the broker.
    pub published: u64,
    /// The broker is connected; `None` when MQTT is switched off.
    pub broker_connected: Option<bool>,
    /// What is not as it should be, for a person.
    pub degraded: Vec<String>,
    /// Process numbers of the units.
    pub unit_pids: Vec<u32>,
    /// Process numbers of the capture processes.
    pub capture_pids: Vec<u32>,
}

impl ApplianceStatus {
    /// The counts of all cameras together.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        for camera in self.cameras.values() {
            total.add(&camera.ledger);
        }
        total
    }

    /// True when every captured frame, and every image, has ended or is in flight.
    pub fn ledger_closes(&self) -> bool {
        let mut total = self.total();
        self.models.values().for_each(|model| total.add(&model.images));
        total.closes(self.in_flight)
    }

    /// Units of all models that there should be.
    pub(crate) fn units_desired(&self) -> usize {
        self.models.values().map(|model| model.desired).sum()
    }

    /// Units of all models that can be given work.
    pub(crate) fn units_in_service(&self) -> usize {
        self.models.values().map(|model| model.in_service).sum()
    }

    /// True when every model that is to run does, with all its units.
    pub fn is_ready(&self) -> bool {
        let is_ready = |model: &ModelStatus| match model.state {
            ModelState::Running => model.in_service >= model.desired,
            ModelState::Stopped | ModelState::Stopping => true,
            ModelState::Starting | ModelState::Failed => false,
        };
        !self.models.is_empty() && self.models.values().all(is_ready)
    }
}
