//! Commands that change something, and their replies.

use crate::supervisor::FleetError;
use crate::supervisor::pool::UnitBounds;
use std::path::PathBuf;
use tokio::sync::oneshot;

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
    /// The boxes of the cluster, of which all are to do it, cannot be told.
    #[error("{0}")]
    Cluster(String),
    /// The appliance is stopping, or its queue is full.
    #[error("the appliance takes no commands now; try again later")]
    Busy,
}

/// The reply to an accepted command: it has begun, but is not necessarily done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accepted {
    /// Set if the change will be lost at a restart, because the state file cannot be written.
    pub warning: Option<String>,
}

/// A command, and the sender of its reply.
pub(crate) type CommandRequest = (Command, oneshot::Sender<Result<Accepted, ControlError>>);
