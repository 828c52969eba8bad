//! The supervisor's decisions, which the shell carries out, and the status of a model.

use crate::admission::{FrameWork, ImageWork, Ledger, Work};
use crate::ipc::messages::{LoadModel, RequestId, UnitTiming};
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::model::model_file::ModelVariant;
use crate::model::package::Package;
use crate::supervisor::autoscaler::ScaleReason;
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;
use crate::vision::detection::Detection;
use crate::vision::model_state::ModelState;
use crate::vision::outcome::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A unit's result for one item, and its timing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Of a frame: what the model's thresholds keep back and a tracker may use. Most confident first.
    pub weak: Vec<Detection>,
    /// Time spent inside the unit.
    pub timing: UnitTiming,
    /// Time from the capture or arrival until the unit got the item; filled in by the supervisor.
    pub queued: Duration,
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
}

impl Answer {
    /// The detections, then the weak ones: the order of a tracker's result.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Detection> {
        self.detections.iter().chain(&self.weak)
    }
}

/// A decision of the supervisor, for the shell to carry out.
#[derive(Debug, PartialEq)]
pub enum SupervisorAction {
    /// Start a unit's process and send it the model to load.
    Start {
        /// The unit to start. It may have had a process before.
        unit: UnitId,
        /// The name of its model.
        model: String,
        /// The load message, with the settings of the unit's zone.
        load: Box<LoadModel>,
    },
    /// Ask an idle unit to exit.
    Stop {
        /// The idle unit.
        unit: UnitId,
    },
    /// Kill a unit's process.
    Kill {
        /// The unit to kill.
        unit: UnitId,
        /// The reason, for the log.
        why: &'static str,
    },
    /// Send a batch to a unit, which replies to each item separately.
    Dispatch {
        /// The unit, which was idle.
        unit: UnitId,
        /// The items, each with the request id that its reply names.
        items: Vec<(RequestId, Work)>,
    },
    /// A frame has its outcome: free its slot and publish the outcome.
    Ended {
        /// The frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// For a detected frame: the result, and the package that produced it.
        answer: Option<(Answer, Arc<Package>)>,
    },
    /// An image has its outcome: reply to its caller and free its slot.
    ImageEnded {
        /// The image.
        work: ImageWork,
        /// How it ended.
        outcome: Outcome,
        /// For a detected image: the result, and the package that produced it.
        answer: Option<(Answer, Arc<Package>)>,
        /// For a shed image: the delay before a retry makes sense.
        retry_after: Duration,
    },
    /// A swap is complete: all units of the model run the new version.
    Swapped {
        /// The new version's package.
        package: Arc<Package>,
    },
    /// The desired number of units of a model changed. For the log.
    Scaled {
        /// The model's name.
        model: String,
        /// The desired number before.
        from: usize,
        /// The desired number now.
        to: usize,
        /// The scaling rule that applied.
        reason: ScaleReason,
    },
}

/// What a model can do for images of API callers, in transactions a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImageRoom {
    /// All that its units, or its quota, allow.
    pub whole_tps: f64,
    /// What is left of it beside the present load.
    pub free_tps: f64,
}

/// The status of one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelStatus {
    /// The lifecycle state.
    pub state: ModelState,
    /// Its package's directory under `units.models_directory`.
    pub package: String,
    /// The version in its package's manifest.
    pub version: String,
    /// The file of the package that its units load.
    pub variant: ModelVariant,
    /// The execution provider of its units, unless their zone has another.
    pub execution_provider: ExecutionProvider,
    /// The version of a swap in progress.
    pub next_version: Option<String>,
    /// The minimum number of units.
    pub min_units: usize,
    /// The maximum number of units; `None`: fixed at the minimum.
    pub max_units: Option<usize>,
    /// The desired number of units now.
    pub desired: usize,
    /// Units that are idle or busy and take work.
    pub in_service: usize,
    /// Units in service by zone.
    pub zones: BTreeMap<String, usize>,
    /// The graph nodes of each execution provider, by zone, because a zone may override the provider.
    pub nodes: BTreeMap<String, NodeCounts>,
    /// Unit processes restarted since the daemon started.
    pub restarts: u64,
    /// The largest batch of a unit, in pictures.
    pub batch: u32,
    /// Transactions a second of one unit, from measured service times and the current mix of frames and images.
    pub unit_tps: f64,
    /// The same as a unit has timed it itself before it took work; 0: it did not say.
    pub expected_unit_tps: f64,
    /// The same for camera frames alone.
    pub unit_frame_tps: f64,
    /// The same for images alone.
    pub unit_image_tps: f64,
    /// The current capacity of the image queue. When it is full, images are refused.
    pub image_places: usize,
    /// What is left for images.
    pub image_room: ImageRoom,
    /// The package that its units run; `None` in a status that no pool has made.
    pub running: Option<Arc<Package>>,
    /// Transactions a second that the units in service can do.
    pub capacity_tps: f64,
    /// Transactions a second that they completed over the last ten seconds.
    pub load_tps: f64,
    /// Completed transactions of frames and images.
    pub transactions: u64,
    /// Completed transactions of images.
    pub image_transactions: u64,
    /// Frames and images that wait or are being processed.
    pub in_flight: u64,
    /// Problems, as texts for the operator.
    pub degraded: Vec<String>,
    /// The outcomes of frames by camera.
    pub ledgers: BTreeMap<CameraId, Ledger>,
    /// The outcomes of frames of cameras that it does not analyse any more.
    pub former_cameras: Ledger,
    /// The outcomes of images.
    pub images: Ledger,
}
