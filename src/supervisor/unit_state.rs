//! The state of one inference unit.
//!
//! ```text
//!          start            ready            dispatch
//!  Down ─────────▶ Loading ───────▶ Idle ◀───────────▶ Busy
//!   ▲                 │ slow         │ retired           │ no answer in time, or a wrong one
//!   │                 ▼              ▼                   ▼
//!   │               Dying ◀────── Stopping             Dying
//!   └──────────────── the process has ended ◀────────────┘
//! ```
//!
//! * `Down`: there is no process. The unit starts again when its backoff is over.
//! * `Loading`: the process loads its model. The load timeout applies.
//! * `Idle`, `Busy`: in service. Each answer must name a request of the batch that has no answer yet.
//! * `Stopping`: asked to exit while idle; killed if it does not exit in time.
//! * `Dying`: killed. A process that a driver holds in the kernel may never end, so this state has a limit too. After
//!   it the unit counts as lost, and another process takes its place.

use crate::ipc::restart_policy::RestartPolicy;
use crate::model::execution_provider::NodeCounts;
use crate::supervisor::batch::Batch;
use crate::supervisor::model_version::ModelVersion;
use crate::supervisor::service_time::ServiceTime;
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use std::time::Duration;

/// A unit. A unit that is started again keeps its id; no other unit of this run of the daemon gets it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnitId(pub u32);

impl std::fmt::Display for UnitId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "unit-{}", self.0)
    }
}

/// What a unit reports when it has loaded its model.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Readiness {
    /// The number of graph nodes of each execution provider.
    pub providers: NodeCounts,
    /// The largest batch that it accepts, in pictures.
    pub batch: u32,
    /// The time of a run with one picture; zero if it was not measured.
    pub run_time: Duration,
    /// Why the model cache cannot be used, which makes a start slower; for the operator.
    pub cache_problem: Option<String>,
}

/// The lifecycle state of a unit; the module documentation has the diagram.
#[derive(Debug)]
pub enum UnitState {
    /// No process; it is started again at `until`.
    Down {
        /// End of the backoff.
        until: Monotonic,
    },
    /// The process loads its model.
    Loading {
        /// Start of the process.
        since: Monotonic,
    },
    /// Ready and without work.
    Idle,
    /// Working.
    Busy(Batch),
    /// Asked to exit while it was idle; its exit has not been reported yet.
    Stopping {
        /// When it was asked to exit.
        since: Monotonic,
    },
    /// Killed; its exit has not been reported yet.
    Dying {
        /// When it was killed.
        since: Monotonic,
    },
}

/// Why a unit gets no more work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Departure {
    /// It is removed when its process has ended.
    Retired,
    /// Its place stays: when its process has ended, a process of the wanted version starts in this zone.
    Replaced {
        /// Where the successor runs.
        zone: ZoneIndex,
    },
}

/// A unit and its history.
#[derive(Debug)]
pub struct Unit {
    /// The lifecycle state.
    pub state: UnitState,
    /// The version that it loads or has loaded.
    pub version: Arc<ModelVersion>,
    /// The zone where it runs.
    pub zone: ZoneIndex,
    /// Set when it gets no more work and its process is to end.
    pub departure: Option<Departure>,
    /// It works, but needs to be replaced: its memory has grown, or its results are invalid.
    pub is_worn: bool,
    /// Backoff after deaths in a row.
    pub restart_policy: RestartPolicy,
    /// The largest batch that it accepts, in pictures; 1 until it has reported it.
    pub batch: u32,
    /// When its model was loaded.
    pub ready_since: Option<Monotonic>,
    /// The graph nodes of each execution provider, from its last load.
    pub providers: NodeCounts,
    /// Why its model cache could not be used.
    pub cache_problem: Option<String>,
    /// Its own service time, by which its deadlines are judged: another version, or a unit in another zone, may be slower.
    pub times: ServiceTime,
    /// Replies since it became ready.
    pub items_done: u64,
    /// Invalid results in a row.
    pub invalid_in_row: u32,
    /// The memory of its process in bytes, measured when it had done a few items.
    pub first_bytes: Option<u64>,
}

impl Unit {
    /// A unit that starts at the next tick.
    pub fn new(version: Arc<ModelVersion>, zone: ZoneIndex, now: Monotonic) -> Self {
        Self {
            state: UnitState::Down { until: now },
            version,
            zone,
            departure: None,
            is_worn: false,
            restart_policy: RestartPolicy::default(),
            batch: 1,
            ready_since: None,
            providers: NodeCounts::default(),
            cache_problem: None,
            times: ServiceTime::default(),
            items_done: 0,
            invalid_in_row: 0,
            first_bytes: None,
        }
    }

    /// True while it can be given work, now or after its current batch.
    pub fn is_in_service(&self) -> bool {
        self.departure.is_none() && matches!(self.state, UnitState::Idle | UnitState::Busy(_))
    }

    /// True if it can be given work now.
    pub fn is_free(&self) -> bool {
        self.departure.is_none() && matches!(self.state, UnitState::Idle)
    }

    /// True unless it is removed when its process has ended.
    pub fn stays(&self) -> bool {
        self.departure != Some(Departure::Retired)
    }

    /// Extends the deadlines by the `gap` for which the daemon was suspended: what the unit did meanwhile is unknown.
    pub fn paused(&mut self, gap: Duration) {
        match &mut self.state {
            UnitState::Loading { since } | UnitState::Stopping { since } | UnitState::Dying { since } => {
                *since = *since + gap;
            }
            UnitState::Busy(batch) => batch.paused(gap),
            UnitState::Down { .. } | UnitState::Idle => {}
        }
    }
}
