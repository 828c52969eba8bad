//! One inference unit as its pool sees it.

use crate::ipc::restart_policy::RestartPolicy;
use crate::model::execution_provider::NodeCounts;
use crate::supervisor::batch::Batch;
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;

/// A unit; never used twice in a run of the daemon, so a unit that is started again keeps it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnitId(pub u32);

impl std::fmt::Display for UnitId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "unit-{}", self.0)
    }
}

/// A version of a model, by the order in which it was asked for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VersionId(pub u32);

/// What a unit says of itself when it has loaded its model.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Readiness {
    /// What computes the model's nodes.
    pub providers: NodeCounts,
    /// Pictures that it takes together at most.
    pub batch: u32,
}

/// Where a unit is in its life.
#[derive(Debug)]
pub enum UnitState {
    /// No process; started again at `until`.
    Down {
        /// When.
        until: Monotonic,
    },
    /// The process loads its model.
    Loading {
        /// Since when.
        since: Monotonic,
    },
    /// Ready and without work.
    Idle,
    /// Working; each answer must name a request of the batch that has none yet.
    Busy(Batch),
    /// Told to stop when it had nothing to do; its end has yet to be reported.
    Stopping {
        /// Since when.
        since: Monotonic,
    },
    /// Killed; its end has yet to be reported.
    Dying,
}

/// A unit and its history.
#[derive(Debug)]
pub struct Unit {
    /// Where it is in its life.
    pub state: UnitState,
    /// What it loads.
    pub version: VersionId,
    /// Where it is placed.
    pub zone: ZoneIndex,
    /// It gets no more work and goes when it has none.
    pub is_retiring: bool,
    /// It works, but another is to take its place: it has grown, or answers nonsense.
    pub is_worn: bool,
    /// Deaths in a row.
    pub restart_policy: RestartPolicy,
    /// Pictures that it takes together at most; 1 until it has said so.
    pub batch: u32,
    /// When its model was loaded.
    pub ready_since: Option<Monotonic>,
    /// What computes the nodes of the model that it loaded last.
    pub providers: NodeCounts,
    /// Answers since then.
    pub items_done: u64,
    /// Answers in a row that were no valid output.
    pub invalid_in_row: u32,
    /// Bytes of its process a while after it was ready.
    pub first_bytes: Option<u64>,
}

impl Unit {
    /// A unit that is to be started at once.
    pub fn new(version: VersionId, zone: ZoneIndex, now: Monotonic) -> Self {
        Self {
            state: UnitState::Down { until: now },
            version,
            zone,
            is_retiring: false,
            is_worn: false,
            restart_policy: RestartPolicy::default(),
            batch: 1,
            ready_since: None,
            providers: NodeCounts::default(),
            items_done: 0,
            invalid_in_row: 0,
            first_bytes: None,
        }
    }

    /// True while work can be given to it, now or after what it does.
    pub fn is_in_service(&self) -> bool {
        !self.is_retiring && matches!(self.state, UnitState::Idle | UnitState::Busy(_))
    }
}
