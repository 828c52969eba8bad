//! The interface to a running appliance: its status, and the requests that it takes.
//!
//! Clients (HTTP, MQTT, the terminal view) read an [`ApplianceStatus`] and never get a lock, a unit or a camera. To change
//! something they send a [`Command`] and get a reply.

mod hours_reader;
pub mod images;
mod reload;
pub mod snapshots;
pub(crate) mod unit_numbers;

use crate::admission::Ledger;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Resource;
use crate::catalog::entries::MAX_IMPORTS;
use crate::catalog::import::PackageSource;
use crate::control::hours_reader::HoursReader;
use crate::control::images::ImageIntake;
use crate::control::reload::{RELOAD_QUEUE, ReloadSender};
use crate::control::snapshots::{SnapshotClient, SnapshotRequest};
use crate::metering::HoursFiles;
use crate::publish::message::CameraStateMessage;
use crate::supervisor::pool::UnitBounds;
use crate::supervisor::{FleetError, ModelState, ModelStatus};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use crate::publish::outbox::{EventLog, NewEvent};
pub(crate) use reload::ReloadRequest;
pub use reload::{ReloadError, ReloadReport};

/// A request to change something.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start a stopped model.
    StartModel {
        /// The model's name.
        model: String,
        /// New bounds for its number of units; `None` keeps the old ones.
        bounds: Option<UnitBounds>,
    },
    /// Stop a model. Work that its units have begun is finished.
    StopModel {
        /// The model's name.
        model: String,
    },
    /// Change the number of units of a model without an interruption.
    ScaleModel {
        /// The model's name.
        model: String,
        /// The new bounds for its number of units.
        bounds: UnitBounds,
    },
    /// Replace the package of a model without an interruption.
    SwapModel {
        /// The model's name.
        model: String,
        /// The new package: a directory under `units.models_directory`.
        package: String,
    },
    /// Start a model that is not in the settings, from an imported package.
    RunPackage {
        /// The name that it runs under.
        model: String,
        /// The directory of the package.
        directory: PathBuf,
        /// The bounds for its number of units.
        bounds: UnitBounds,
    },
    /// Connect or disconnect a camera.
    SwitchCamera {
        /// The camera's id.
        camera: String,
        /// True: connect it. False: disconnect it.
        enabled: bool,
    },
    /// Remove a stopped model that is not in the settings.
    RemoveModel {
        /// The model's name.
        model: String,
    },
}

/// A request to import the package of a project version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImportJob {
    /// The version that waits for its package.
    pub(crate) version: Resource,
    /// Where to read the package from.
    pub(crate) source: PackageSource,
}

impl Command {
    /// The name of the model or camera that the command changes.
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

/// Why a command was refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ControlError {
    /// The model's state or the capacity of the box does not allow it.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The package is missing or unusable.
    #[error("{0}")]
    Package(String),
    /// The settings have no camera with this id.
    #[error("there is no camera `{0}` in the settings")]
    NoSuchCamera(String),
    /// The appliance is stopping, or its queue is full.
    #[error("the appliance takes no commands now; try again later")]
    Busy,
}

/// Queue capacity for commands. When the queue is full they are refused.
const COMMAND_QUEUE: usize = 16;

/// The reply to an accepted command: it has begun, but is not necessarily done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accepted {
    /// Set if the change will be lost at a restart, because the state file cannot be written.
    pub warning: Option<String>,
}

/// A command, and the sender of its reply.
pub(crate) type CommandRequest = (Command, oneshot::Sender<Result<Accepted, ControlError>>);

/// The clients' end. Clones share its queues.
#[derive(Clone, Debug)]
pub struct Control {
    commands: mpsc::Sender<CommandRequest>,
    status: watch::Receiver<ApplianceStatus>,
    hours: HoursReader,
    imports: mpsc::Sender<ImportJob>,
    reloads: ReloadSender,
    /// Takes images.
    pub images: ImageIntake,
    /// Takes requests for snapshots.
    pub snapshots: SnapshotClient,
    /// Reads stored events; `None` when events are not stored.
    pub(crate) events: Option<EventLog>,
    /// Projects, versions and tags.
    pub(crate) catalog: CatalogStore,
}

/// The appliance's end: the queues of requests.
#[derive(Debug)]
pub struct ControlQueues {
    /// Commands to apply.
    pub(crate) commands: mpsc::Receiver<CommandRequest>,
    /// Packages to import.
    pub(crate) imports: mpsc::Receiver<ImportJob>,
    /// Requests to read the settings again.
    pub(crate) reloads: mpsc::Receiver<ReloadRequest>,
    /// Requests for snapshots.
    pub(crate) snapshots: mpsc::Receiver<SnapshotRequest>,
}

impl Control {
    /// Returns the clients' end and the appliance's end.
    pub fn new(
        status: watch::Receiver<ApplianceStatus>,
        hours: HoursFiles,
        images: ImageIntake,
        catalog: CatalogStore,
        events: Option<EventLog>,
    ) -> (Self, ControlQueues) {
        let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
        let (imports, import_queue) = mpsc::channel(MAX_IMPORTS);
        let (reloads, reload_queue) = mpsc::channel(RELOAD_QUEUE);
        let (snapshots, snapshot_queue) = SnapshotClient::new();
        let hours = HoursReader::new(hours);
        let control = Self { commands, status, hours, imports, reloads, images, snapshots, events, catalog };
        (
            control,
            ControlQueues {
                commands: command_queue,
                imports: import_queue,
                reloads: reload_queue,
                snapshots: snapshot_queue,
            },
        )
    }

    /// Queues an import. The catalog limits the number of imports, so the queue is never full.
    ///
    /// # Errors
    /// [`ControlError::Busy`] when the appliance is stopping.
    pub(crate) async fn import(&self, job: ImportJob) -> Result<(), ControlError> {
        self.imports.send(job).await.map_err(|_| ControlError::Busy)
    }

    /// Sends a command and waits for the reply: the change has begun and its state file is written.
    ///
    /// # Errors
    /// [`ControlError`] when the command was refused.
    pub async fn ask(&self, command: Command) -> Result<Accepted, ControlError> {
        let (reply, replied) = oneshot::channel();
        self.commands.try_send((command, reply)).map_err(|_| ControlError::Busy)?;
        replied.await.unwrap_or(Err(ControlError::Busy))
    }

    /// Returns the state of a model, at most half a second old.
    pub(crate) fn model_state(&self, name: &str) -> Option<ModelState> {
        self.read(|status| status.models.get(name).map(|model| model.state))
    }

    /// Reads the status, at most half a second old. Holds the status lock: keep the closure short, and do not call `read`
    /// inside it (deadlock).
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ApplianceStatus) -> T) -> T {
        read(&self.status.borrow())
    }

    /// Returns a copy of the status, at most half a second old.
    pub fn status(&self) -> ApplianceStatus {
        self.status.borrow().clone()
    }
}

/// A snapshot of one camera's status.
#[derive(Clone, Debug)]
pub struct CameraView {
    /// Its state as published.
    pub state: CameraStateMessage,
    /// How its frames ended.
    pub ledger: Ledger,
    /// Frames decoded since the daemon started.
    pub decoded: u64,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// The number of objects of each label in the newest analysed frame.
    pub seen: BTreeMap<String, u32>,
}

/// A snapshot of the appliance's status.
#[derive(Clone, Debug, Default)]
pub struct ApplianceStatus {
    /// The cameras by id.
    pub cameras: BTreeMap<CameraId, CameraView>,
    /// The models by name.
    pub models: BTreeMap<String, ModelStatus>,
    /// Inference hours of this month by model and version.
    pub inference_hours: BTreeMap<(String, String), f64>,
    /// Restarts of capture processes since the daemon started.
    pub capture_restarts: u64,
    /// Frames and images that wait or are being analysed.
    pub in_flight: u64,
    /// Slots of shared memory that are lent to units.
    pub lent_slots: u32,
    /// Detections of each label since the daemon started.
    pub labels_seen: BTreeMap<String, u64>,
    /// Messages handed to the broker.
    pub published: u64,
    /// True while the broker is connected; `None` when MQTT is switched off.
    pub broker_connected: Option<bool>,
    /// What is wrong, in sentences for the operator.
    pub degraded: Vec<String>,
    /// Process ids of the units.
    pub unit_pids: Vec<u32>,
    /// Process ids of the capture processes.
    pub capture_pids: Vec<u32>,
}

impl ApplianceStatus {
    /// The sum of the ledgers of all cameras, those included that a reload of the settings has removed.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        self.models.values().for_each(|model| total.add(&model.former_cameras));
        for camera in self.cameras.values() {
            total.add(&camera.ledger);
        }
        total
    }

    /// True when every captured frame and every image has an outcome or is in flight.
    pub fn ledger_closes(&self) -> bool {
        let mut total = self.total();
        self.models.values().for_each(|model| total.add(&model.images));
        total.closes(self.in_flight)
    }

    /// The number of units that all models together should have.
    pub(crate) fn units_desired(&self) -> usize {
        self.models.values().map(|model| model.desired).sum()
    }

    /// The number of units in service, of all models together.
    pub(crate) fn units_in_service(&self) -> usize {
        self.models.values().map(|model| model.in_service).sum()
    }

    /// True when every model that should run is running with all its units.
    pub fn is_ready(&self) -> bool {
        let is_ready = |model: &ModelStatus| match model.state {
            ModelState::Running => model.in_service >= model.desired,
            ModelState::Stopped | ModelState::Stopping => true,
            ModelState::Starting | ModelState::Failed => false,
        };
        !self.models.is_empty() && self.models.values().all(is_ready)
    }
}
