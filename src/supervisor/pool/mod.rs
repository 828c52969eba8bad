//! The units of one model and the frames that want them.
//!
//! `lifecycle` is what becomes of units, `reconcile` brings them to the number, the version and the zones
//! that are wanted, `intake` takes work or refuses it, `dispatch` hands it to units and gives each its outcome, and
//! `status` says how all is.

mod dispatch;
mod intake;
mod lifecycle;
mod reconcile;
mod status;

use crate::admission::{Gate, Ledger};
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::NodeCounts;
use crate::model::package::Package;
use crate::supervisor::actions::ModelState;
use crate::supervisor::autoscaler::Autoscaler;
use crate::supervisor::retry_budget::RetryBudget;
use crate::supervisor::service_time::ServiceTime;
use crate::supervisor::unit_state::{Unit, UnitId, UnitState, VersionId};
use crate::supervisor::zones::{ZoneIndex, Zones};
use crate::vision::camera_id::CameraId;
use crate::vision::framing::Framing;
use crate::vision::monotonic::Monotonic;
use crate::vision::token_bucket::TokenBucket;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A version of a model: what its units load.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// Its place in the order.
    pub id: VersionId,
    /// Names and labels.
    pub package: Arc<Package>,
    /// Sent to its units; zone and cores are filled in for each.
    pub load: LoadModel,
}

/// How many units a model is to have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitBounds {
    /// At least.
    pub min: usize,
    /// At most; none: the number is fixed at `min`.
    pub max: Option<usize>,
}

/// How long a unit may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitDeadlines {
    /// To load its model.
    pub load: Duration,
    /// For one inference, at most; measured times shorten it.
    pub inference: Duration,
}

/// A limit of transactions of images a second, below or at what the units can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TpsQuota {
    /// So many.
    Fixed(f64),
    /// What the units in service can do, as measured.
    Measured,
}

impl TpsQuota {
    fn tps(self, measured: f64) -> f64 {
        match self {
            Self::Fixed(tps) => tps,
            Self::Measured => measured,
        }
    }
}

/// Transactions that a limit lets through at once: one second's worth, and one at least.
fn burst(tps: f64) -> f64 {
    tps.max(1.0)
}

/// What the box can still carry.
#[derive(Debug)]
pub struct Room<'a> {
    /// Where units are placed.
    pub zones: &'a mut Zones,
    /// The next unit's name.
    pub next_unit: &'a mut u32,
    /// Units that may still be started.
    pub units: usize,
    /// What ends them, for a person.
    pub limit: &'a str,
}

/// How far back the load is counted.
const LOAD_WINDOW: Duration = Duration::from_secs(10);

/// The units of one model and the frames that want them.
#[derive(Debug)]
pub struct Pool {
    name: String,
    bounds: UnitBounds,
    state: ModelState,
    is_wanted: bool,
    current: ModelVersion,
    candidate: Option<ModelVersion>,
    desired: usize,
    scaler: Option<Autoscaler>,
    units: BTreeMap<UnitId, Unit>,
    /// A unit more than wanted is on its way to another zone.
    is_moving: bool,
    gate: Gate,
    /// How images are looked at.
    image_framing: Framing,
    images: Ledger,
    limit: Option<(TpsQuota, TokenBucket)>,
    ledgers: BTreeMap<CameraId, Ledger>,
    retry_budget: RetryBudget,
    service_time: ServiceTime,
    deadlines: UnitDeadlines,
    next_request: u64,
    /// When transactions ended, and how many.
    recent_answers: VecDeque<(Monotonic, u32)>,
    /// Transactions of what units looked at, and of the images among it.
    transactions: u64,
    image_transactions: u64,
    /// Transactions since the last evaluation.
    arrivals: u64,
    completed: u64,
    evaluated_at: Monotonic,
    /// No unit is in service since then.
    unserved_since: Option<Monotonic>,
    restarts: u64,
    failed_loads: u32,
    load_failure: Option<String>,
    swap_failure: Option<String>,
    blocked: Option<String>,
    is_draining: bool,
}

impl Pool {
    /// A stopped model.
    pub fn new(
        version: ModelVersion,
        bounds: UnitBounds,
        gate: Gate,
        quota: Option<TpsQuota>,
        deadlines: UnitDeadlines,
        now: Monotonic,
    ) -> Self {
        let mut pool = Self {
            name: version.package.model.clone(),
            bounds,
            state: ModelState::Stopped,
            is_wanted: false,
            current: version,
            candidate: None,
            desired: bounds.min,
            scaler: None,
            units: BTreeMap::new(),
            is_moving: false,
            gate,
            image_framing: Framing::default(),
            images: Ledger::default(),
            limit: quota.map(|quota| (quota, TokenBucket::new(burst(quota.tps(1.0)), now))),
            ledgers: BTreeMap::new(),
            retry_budget: RetryBudget::new(now),
            service_time: ServiceTime::default(),
            deadlines,
            next_request: 0,
            recent_answers: VecDeque::new(),
            transactions: 0,
            image_transactions: 0,
            arrivals: 0,
            completed: 0,
            evaluated_at: now,
            unserved_since: None,
            restarts: 0,
            failed_loads: 0,
            load_failure: None,
            swap_failure: None,
            blocked: None,
            is_draining: false,
        };
        pool.rescale(bounds);
        pool
    }

    /// How images are looked at, whoever sends them.
    pub fn with_image_framing(mut self, framing: Framing) -> Self {
        self.image_framing = framing;
        self
    }

    /// Gives a camera its place and its ledger.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.ledgers.entry(camera.clone()).or_default();
        self.gate.cameras.add_camera(camera, weight);
    }

    /// Where the model is in its life.
    pub fn state(&self) -> ModelState {
        self.state
    }

    /// The package that runs, or that is being brought in.
    pub fn package(&self) -> &Arc<Package> {
        &self.candidate.as_ref().unwrap_or(&self.current).package
    }

    /// How many units it is to have.
    pub fn bounds(&self) -> UnitBounds {
        self.bounds
    }

    /// Stopped | Stopping | Failed -> Starting
    pub fn start(&mut self) {
        self.is_wanted = true;
        self.state = ModelState::Starting;
        (self.failed_loads, self.load_failure) = (0, None);
        self.desired = self.bounds.min;
    }

    /// Starting | Running | Failed -> Stopping
    pub fn stop(&mut self) {
        self.is_wanted = false;
        self.state = ModelState::Stopping;
    }

    /// Another number of units; those that stay work on.
    pub fn rescale(&mut self, bounds: UnitBounds) {
        self.bounds = bounds;
        let most = bounds.max.unwrap_or(bounds.min);
        self.desired = self.desired.clamp(bounds.min, most);
        self.scaler = bounds.max.map(|max| Autoscaler::new(bounds.min, max));
    }

    /// Another version: its units come before those of the old one go. One that does not load displaces nothing.
    pub fn swap(&mut self, version: ModelVersion) {
        self.swap_failure = None;
        if self.units.values().any(|unit| !unit.is_retiring) {
            self.candidate = Some(version);
        } else {
            (self.current, self.candidate) = (version, None);
        }
    }

    /// Frames that wait or are worked on.
    pub fn in_flight(&self) -> u64 {
        let open = |unit: &Unit| if let UnitState::Busy(batch) = &unit.state { batch.open() } else { 0 };
        (self.units.values().map(open).sum::<usize>() + self.gate.waiting()) as u64
    }

    /// Units that can be given work.
    pub fn in_service(&self) -> usize {
        self.units.values().filter(|unit| unit.is_in_service()).count()
    }

    /// Units that are there or are to be there, those that go included.
    pub fn unit_count(&self) -> usize {
        self.units.len()
    }

    /// Units in service by the version of their package, from RUNNING to STOPPED: a model that stops is in service
    /// until its units have gone.
    pub fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        let is_there = |unit: &Unit| match unit.state {
            UnitState::Idle | UnitState::Busy(_) => !unit.is_retiring || self.state == ModelState::Stopping,
            UnitState::Stopping { .. } => self.state == ModelState::Stopping,
            UnitState::Down { .. } | UnitState::Loading { .. } | UnitState::Dying => false,
        };
        let of = |version: &ModelVersion| {
            let is_its = |unit: &&Unit| unit.version == version.id && is_there(unit);
            (Arc::clone(&version.package), self.units.values().filter(is_its).count())
        };
        let is_metered = matches!(self.state, ModelState::Running | ModelState::Stopping);
        let versions = std::iter::once(&self.current).chain(&self.candidate).filter(|_| is_metered);
        versions.map(of).filter(|(_, units)| *units > 0).collect()
    }

    /// Each unit in service, oldest first: its zone, and what computes its nodes.
    pub fn units_in_service(&self) -> impl Iterator<Item = (ZoneIndex, &NodeCounts)> {
        self.units.values().filter(|unit| unit.is_in_service()).map(|unit| (unit.zone, &unit.providers))
    }
}
