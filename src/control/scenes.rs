//! The areas of a camera's picture, and the request to change them in the settings.
//!
//! Clients know areas and reasons, and nothing of files: the appliance edits the settings, as `ocelli camera set` does, and
//! then reads them again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};

/// `[x, y]` in ratios of the picture, from its top left.
pub type Corner = [f64; 2];

/// A named area: events list those that an object has entered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The name in events.
    pub name: String,
    /// The corners in order.
    pub points: Vec<Corner>,
}

/// The areas of one camera, as in the `scene` of its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneAreas {
    /// Named areas.
    pub regions: Vec<Region>,
    /// Only objects that stand in these are kept; none: the whole picture.
    pub include: Vec<Vec<Corner>>,
    /// Objects that stand in these are dropped.
    pub ignore: Vec<Vec<Corner>>,
}

/// A change of them, as clients ask for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneChange {
    /// As in [`SceneAreas`].
    pub regions: Vec<Region>,
    /// As in [`SceneAreas`].
    pub include: Vec<Vec<Corner>>,
    /// As in [`SceneAreas`].
    pub ignore: Vec<Vec<Corner>>,
    /// What the client was shown; absent: what is in force now.
    #[serde(default)]
    pub shown: Option<SceneAreas>,
}

/// The areas of all cameras that are in force. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ScenesInForce(Arc<RwLock<BTreeMap<String, SceneAreas>>>);

impl ScenesInForce {
    /// These are in force from now on, by the ids of the cameras.
    pub fn set(&self, scenes: BTreeMap<String, SceneAreas>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = scenes;
    }

    /// The areas of a camera; `None` if there is no such camera.
    pub fn of(&self, camera: &str) -> Option<SceneAreas> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(camera).cloned()
    }
}

/// What a change has done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SceneChanged {
    /// The file that was written.
    pub file: String,
    /// One line for each part of the box that changed.
    pub changed: Vec<String>,
    /// Keys with another value that only a restart applies.
    pub needs_restart: Vec<String>,
}

/// Why areas were not changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SceneRefusal {
    /// The settings have no such camera.
    #[error("there is no camera `{0}` in the settings")]
    NoSuchCamera(String),
    /// The file has other areas than those that the client was shown.
    #[error(
        "the areas of the camera were changed meanwhile, by somebody else or in the file: load them anew (after a reload of the \
         settings, if they are not in force), and draw again"
    )]
    Outdated,
    /// The settings would have mistakes. Holds them, with their cures.
    #[error("{0}")]
    Invalid(String),
    /// The file cannot be written. Holds the reason and the cure.
    #[error("{0}")]
    Unwritable(String),
    /// The file was written, and the daemon could not read the settings again. Holds the reason.
    #[error("the settings are written, but not in force: {0}")]
    NotInForce(String),
    /// The daemon is stopping, or other changes wait already.
    #[error("the appliance takes no changes now; try again later")]
    Busy,
}

/// A request for other areas of one camera.
#[derive(Debug)]
pub struct SceneRequest {
    /// The camera.
    pub camera: String,
    /// All its areas from now on.
    pub areas: SceneAreas,
    /// Those that the client was shown; `None`: those in force.
    pub shown: Option<SceneAreas>,
    /// Takes the answer.
    pub reply: oneshot::Sender<Result<SceneChanged, SceneRefusal>>,
}

/// Queue capacity for requests. When the queue is full they are refused.
const QUEUE: usize = 4;

/// The clients' end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct SceneClient(mpsc::Sender<SceneRequest>);

impl SceneClient {
    /// Returns the clients' end, and the queue of requests.
    pub fn new() -> (Self, mpsc::Receiver<SceneRequest>) {
        let (requests, queue) = mpsc::channel(QUEUE);
        (Self(requests), queue)
    }

    /// Changes the areas of a camera: writes them into the settings, and applies them.
    ///
    /// # Errors
    /// [`SceneRefusal`]; only with [`SceneRefusal::NotInForce`] something was written.
    pub async fn change(&self, camera: String, change: SceneChange) -> Result<SceneChanged, SceneRefusal> {
        let SceneChange { regions, include, ignore, shown } = change;
        let areas = SceneAreas { regions, include, ignore };
        let (reply, replied) = oneshot::channel();
        self.0.try_send(SceneRequest { camera, areas, shown, reply }).map_err(|_| SceneRefusal::Busy)?;
        replied.await.unwrap_or(Err(SceneRefusal::Busy))
    }
}
