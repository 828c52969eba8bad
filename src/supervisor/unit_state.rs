//! One inference unit as the supervisor sees it.

use crate::admission::FrameWork;
use crate::ipc::messages::RequestId;
use crate::ipc::restart_policy::RestartPolicy;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

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
    /// Working.
    Busy {
        /// The answer must name it.
        request: RequestId,
        /// What it works on.
        work: FrameWork,
        /// Since when.
        since: Monotonic,
    },
    /// Killed because it broke its deadline or the protocol; its end has yet to be reported.
    Dying,
}

/// A unit and its history.
#[derive(Debug)]
pub struct Unit {
    /// Where it is in its life.
    pub state: UnitState,
    /// Deaths in a row.
    pub restart_policy: RestartPolicy,
    /// When its model was loaded.
    pub ready_since: Option<Monotonic>,
    /// Answers since then.
    pub items_done: u64,
}

impl Unit {
    /// A unit that is to be started at once.
    pub fn new(now: Monotonic) -> Self {
        Self {
            state: UnitState::Down { until: now },
            restart_policy: RestartPolicy::default(),
            ready_since: None,
            items_done: 0,
        }
    }

    /// True while work can be given to it, now or after what it does.
    pub fn is_in_service(&self) -> bool {
        matches!(self.state, UnitState::Idle | UnitState::Busy { .. })
    }
}

/// A moving average of how long one inference takes, and the deadline that follows from it.
#[derive(Clone, Debug, Default)]
pub struct ServiceTime {
    average_seconds: Option<f64>,
}

/// The weight of the newest measurement: the average follows a change within about 20 items.
const NEWEST: f64 = 0.1;

/// No unit is called hung sooner than this.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(2);

impl ServiceTime {
    /// Takes one measurement in.
    pub fn record(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        self.average_seconds = Some(match self.average_seconds {
            None => seconds,
            Some(average) => average + NEWEST * (seconds - average),
        });
    }

    /// The average; `None` before the first measurement.
    pub fn average(&self) -> Option<Duration> {
        self.average_seconds.map(Duration::from_secs_f64)
    }

    /// Eight times the average, at least 2 s and at most `longest`.
    pub fn deadline(&self, longest: Duration) -> Duration {
        let eightfold = self.average_seconds.map_or(longest, |average| Duration::from_secs_f64(8.0 * average));
        eightfold.max(SHORTEST_DEADLINE).min(longest)
    }
}
