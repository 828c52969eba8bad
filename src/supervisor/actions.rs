//! What the supervisor has the shell do, and what it tells.

use crate::admission::{FrameWork, ImageWork, Ledger, Work};
use crate::ipc::messages::{LoadModel, RequestId, UnitTiming};
use crate::model::execution_provider::NodeCounts;
use crate::model::package::Package;
use crate::supervisor::autoscaler::ScaleReason;
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;
use crate::vision::detection::Detection;
use crate::vision::outcome::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a unit found, and where the time went.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Inside the unit.
    pub timing: UnitTiming,
    /// From capture to the unit; filled in by the supervisor.
    pub queued: Duration,
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
}

/// What the shell is to do.
#[derive(Debug, PartialEq)]
pub enum SupervisorAction {
    /// Start a unit's process and tell it to load the model.
    Start {
        /// Which.
        unit: UnitId,
        /// What.
        load: Box<LoadModel>,
    },
    /// Tell a unit that has nothing to do to end.
    Stop {
        /// Which.
        unit: UnitId,
    },
    /// End a unit's process at once.
    Kill {
        /// Which.
        unit: UnitId,
        /// For the log.
        why: &'static str,
    },
    /// Hand work to a unit, which answers each item by itself.
    Dispatch {
        /// Which.
        unit: UnitId,
        /// What to look at, each with the request that is named in its answer.
        items: Vec<(RequestId, Work)>,
    },
    /// A frame has its outcome: give its slot back and tell the world.
    Ended {
        /// Which frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// There if it was detected, with the model that looked at it.
        answer: Option<(Answer, Arc<Package>)>,
    },
    /// An image has its outcome: answer its caller and give its slot back.
    ImageEnded {
        /// Which image.
        work: ImageWork,
        /// How it ended.
        outcome: Outcome,
        /// There if it was detected, with the model that looked at it.
        answer: Option<(Answer, Arc<Package>)>,
        /// When it makes sense to try again, if it was shed.
        retry_after: Duration,
    },
    /// All units of a model have the version that a swap brought in.
    Swapped {
        /// Its package.
        package: Arc<Package>,
    },
    /// For the log.
    Scaled {
        /// Which model.
        model: String,
        /// Units there were to be.
        from: usize,
        /// Units there are to be.
        to: usize,
        /// Why.
        reason: ScaleReason,
    },
}

/// Where a model is in its life; the words are those of the cloud's API.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelState {
    /// Its first units load.
    Starting,
    /// It takes work. A lost unit changes the capacity, not this.
    Running,
    /// Its units finish what they do.
    Stopping,
    /// It has no units.
    #[default]
    Stopped,
    /// No unit can be brought up; it is still tried.
    Failed,
}

impl ModelState {
    /// As in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
        }
    }
}

/// One model at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelStatus {
    /// Where it is in its life.
    pub state: ModelState,
    /// Its package's directory under `units.models_directory`.
    pub package: String,
    /// The version in its package's manifest.
    pub version: String,
    /// A version that is being brought in.
    pub next_version: Option<String>,
    /// The least units.
    pub min_units: usize,
    /// The most units; none: the number is fixed.
    pub max_units: Option<usize>,
    /// Units there should be now.
    pub desired: usize,
    /// Units that can be given work.
    pub in_service: usize,
    /// Units in service by zone.
    pub zones: BTreeMap<String, usize>,
    /// What computes the nodes of the model, by zone: where the zone names a provider, that may differ.
    pub nodes: BTreeMap<String, NodeCounts>,
    /// Processes started again since the daemon started.
    pub restarts: u64,
    /// Pictures that a unit takes together at most.
    pub batch: u32,
    /// What one unit can do, from measured service time, with frames and images mixed as they come.
    pub unit_tps: f64,
    /// The same of a camera's frames alone.
    pub unit_frame_tps: f64,
    /// The same of images from outside alone.
    pub unit_image_tps: f64,
    /// Images that may wait for a unit now; the next one is refused.
    pub image_places: usize,
    /// What the units in service can do.
    pub capacity_tps: f64,
    /// What they did over the last ten seconds.
    pub load_tps: f64,
    /// Transactions of all that units looked at.
    pub transactions: u64,
    /// Those of images among them.
    pub image_transactions: u64,
    /// Frames that wait or are worked on.
    pub in_flight: u64,
    /// What is not as it should be, for a person.
    pub degraded: Vec<String>,
    /// By camera.
    pub ledgers: BTreeMap<CameraId, Ledger>,
    /// Of the images from outside.
    pub images: Ledger,
}
