//! The interface to a running appliance: its status, and the requests that it takes.
//!
//! Clients (HTTP, MQTT, the terminal view) read an [`ApplianceStatus`] and never get a lock, a unit or a camera. To change
//! something they send a [`Command`] and get a reply.

mod command;
pub mod event_pictures;
pub mod frame_rates;
pub mod health;
pub mod history;
mod hours_reader;
pub mod image_calls;
pub mod images;
pub mod judge;
mod loss;
mod questions;
pub mod reason;
mod reload;
pub mod scenes;
pub(crate) mod shared_models;
pub mod snapshots;
pub mod status;
pub mod trouble_watch;
pub(crate) mod unit_numbers;

use crate::catalog::CatalogStore;
use crate::catalog::arn::Resource;
use crate::catalog::entries::MAX_IMPORTS;
use crate::catalog::import::PackageSource;
use crate::control::health::BoxHealth;
use crate::control::hours_reader::HoursReader;
use crate::control::image_calls::ImageCalls;
use crate::control::images::ImageIntake;
use crate::control::reload::{RELOAD_QUEUE, ReloadSender};
use crate::control::scenes::ScenesInForce;
use crate::control::shared_models::{AllBoxes, SharedModel, SharedModels};
use crate::control::snapshots::{SnapshotClient, SnapshotRequest};
use crate::live::Relay;
use crate::metering::HoursFiles;
use crate::os::clock::monotonic_now;
use crate::supervisor::ModelState;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use crate::control::command::CommandRequest;
pub use crate::control::command::{Accepted, Command, ControlError};
pub use crate::control::status::{ApplianceStatus, CameraView};
pub(crate) use crate::publish::outbox::{EventLog, NewEvent};
pub(crate) use reload::ReloadRequest;
pub use reload::{ReloadError, ReloadReport};

/// A request to import the package of a project version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImportJob {
    /// The version that waits for its package.
    pub(crate) version: Resource,
    /// Where to read the package from.
    pub(crate) source: PackageSource,
}

/// Queue capacity for commands. When the queue is full they are refused.
const COMMAND_QUEUE: usize = 16;

/// The clients' end. Clones share its queues.
#[derive(Clone, Debug)]
pub struct Control {
    commands: mpsc::Sender<CommandRequest>,
    all_boxes: AllBoxes,
    status: watch::Receiver<ApplianceStatus>,
    hours: HoursReader,
    imports: mpsc::Sender<ImportJob>,
    reloads: ReloadSender,
    /// Takes images.
    pub images: ImageCalls,
    /// Takes requests for snapshots.
    pub snapshots: SnapshotClient,
    /// Takes viewers of live video.
    pub live: Relay,
    /// The areas of cameras that are in force.
    pub scenes: ScenesInForce,
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
        live: Relay,
    ) -> (Self, ControlQueues) {
        let (commands, command_queue) = mpsc::channel(COMMAND_QUEUE);
        let (imports, import_queue) = mpsc::channel(MAX_IMPORTS);
        let (reloads, reload_queue) = mpsc::channel(RELOAD_QUEUE);
        let (snapshots, snapshot_queue) = SnapshotClient::new();
        let hours = HoursReader::new(hours);
        let (scenes, all_boxes) = (ScenesInForce::default(), AllBoxes::default());
        let images = ImageCalls::new(images, all_boxes.clone());
        let control = Self {
            commands,
            all_boxes,
            status,
            hours,
            imports,
            reloads,
            images,
            snapshots,
            live,
            scenes,
            events,
            catalog,
        };
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

    /// Sends a command and waits for the reply: the change has begun and its state file is written, or in a cluster that shares models
    /// all boxes are told.
    ///
    /// # Errors
    /// [`ControlError`] when the command was refused.
    pub async fn ask(&self, command: Command) -> Result<Accepted, ControlError> {
        send(self.all_boxes.taker(&command).unwrap_or(&self.commands), command).await
    }

    /// The same for this box alone.
    ///
    /// # Errors
    /// [`ControlError`] when the command was refused.
    pub(crate) async fn ask_here(&self, command: Command) -> Result<Accepted, ControlError> {
        send(&self.commands, command).await
    }

    /// From now on commands about models of the settings come out of the queue that is returned, and `models` tells how all boxes
    /// together run them.
    pub(crate) fn for_all_boxes(&self, models: watch::Receiver<SharedModels>) -> mpsc::Receiver<CommandRequest> {
        let (sender, queue) = mpsc::channel(COMMAND_QUEUE);
        self.all_boxes.set(sender, models);
        queue
    }

    /// How all boxes together run a model; `None`: this box runs it by itself.
    pub(crate) fn shared_model(&self, name: &str) -> Option<SharedModel> {
        self.all_boxes.model(name)
    }

    /// The status, for whoever waits for its changes.
    pub(crate) fn watch(&self) -> watch::Receiver<ApplianceStatus> {
        self.status.clone()
    }

    /// Returns the state of a model, at most half a second old: that of all boxes together where they share it.
    pub(crate) fn model_state(&self, name: &str) -> Option<ModelState> {
        if let Some(shared) = self.shared_model(name) {
            return Some(shared.state);
        }
        self.read(|status| status.models.get(name).map(|model| model.state))
    }

    /// Reads the status, at most half a second old. Holds the status lock: keep the closure short, and do not call `read`
    /// inside it (deadlock).
    pub(crate) fn read<T>(&self, read: impl FnOnce(&ApplianceStatus) -> T) -> T {
        read(&self.status.borrow())
    }

    /// Returns the health of the box, at most half a second old unless the event loop hangs, which it says then.
    pub fn health(&self) -> BoxHealth {
        self.read(|status| BoxHealth::of(status, monotonic_now()))
    }

    /// Returns the id of the box, for every answer to name.
    pub(crate) fn box_id(&self) -> String {
        self.read(|status| status.box_id.clone())
    }

    /// Returns a copy of the status, at most half a second old.
    pub fn status(&self) -> ApplianceStatus {
        self.status.borrow().clone()
    }
}

async fn send(queue: &mpsc::Sender<CommandRequest>, command: Command) -> Result<Accepted, ControlError> {
    let (reply, replied) = oneshot::channel();
    queue.try_send((command, reply)).map_err(|_| ControlError::Busy)?;
    replied.await.unwrap_or(Err(ControlError::Busy))
}
