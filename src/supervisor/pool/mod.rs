//! The units of one model, and the frames and images that wait for them.
//!
//! `roster` holds the units and versions, and `reconcile` brings them to the desired state. `demand` holds waiting
//! work, `throughput` counts completed work. [`Pool`] connects them: `intake` accepts or refuses work, `dispatch` sends
//! it to units and records outcomes, `lifecycle` handles the events of units, and `status` describes the model.

pub mod bounds;
mod demand;
mod dispatch;
mod intake;
mod lifecycle;
mod reconcile;
mod roster;
mod status;
mod throughput;

pub use bounds::{Room, TpsQuota, UnitBounds, UnitDeadlines};

use crate::admission::Gate;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::NodeCounts;
use crate::model::package::Package;
use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::autoscaler::{Autoscaler, ScaleReason};
use crate::supervisor::model_version::ModelVersion;
use crate::supervisor::pool::demand::Demand;
use crate::supervisor::pool::roster::Roster;
use crate::supervisor::pool::throughput::Throughput;
use crate::supervisor::unit_state::{Unit, UnitId, UnitState};
use crate::supervisor::zones::ZoneIndex;
use crate::vision::camera_id::CameraId;
use crate::vision::framing::Framing;
use crate::vision::model_state::ModelState;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use std::time::Duration;

/// The units of one model and the work that waits for them.
#[derive(Debug)]
pub struct Pool {
    name: String,
    bounds: UnitBounds,
    state: ModelState,
    /// The model is started.
    is_wanted: bool,
    /// The daemon is stopping.
    is_draining: bool,
    /// Why its package cannot be used. No unit starts until a swap to another version.
    unusable: Option<String>,
    /// The number of units while the model is started; between the bounds.
    desired: usize,
    scaler: Option<Autoscaler>,
    evaluated_at: Monotonic,
    deadlines: UnitDeadlines,
    next_request: u64,
    /// Since when no unit is in service.
    unserved_since: Option<Monotonic>,
    roster: Roster,
    demand: Demand,
    throughput: Throughput,
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
            is_draining: false,
            unusable: None,
            desired: bounds.min,
            scaler: None,
            evaluated_at: now,
            deadlines,
            next_request: 0,
            unserved_since: None,
            roster: Roster::new(version),
            demand: Demand::new(gate, quota, now),
            throughput: Throughput::default(),
        };
        pool.rescale(bounds);
        pool
    }

    /// Sets the region and tiles of every image.
    pub fn with_image_framing(mut self, framing: Framing) -> Self {
        self.demand.image_framing = framing;
        self
    }

    /// Changes how the model handles work: the images' share of the units, their limit, and the region and tiles of every
    /// image.
    pub fn set_terms(&mut self, image_share: f64, quota: Option<TpsQuota>, image_framing: Framing, now: Monotonic) {
        self.demand.gate.set_image_share(image_share);
        self.demand.set_quota(quota, now);
        self.demand.image_framing = image_framing;
    }

    /// Marks the model's package as unusable, with the reason. Once started, it is FAILED until a swap to another
    /// version.
    pub fn with_unusable_package(mut self, reason: String) -> Self {
        self.unusable = Some(reason);
        self
    }

    /// Adds a camera. `weight` is its scheduling weight; 0 counts as 1.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.demand.add_camera(camera, weight);
    }

    /// The lifecycle state of the model.
    pub fn state(&self) -> ModelState {
        self.state
    }

    /// The package that runs, or during a swap the new one.
    pub fn package(&self) -> Arc<Package> {
        Arc::clone(&self.roster.target().package)
    }

    /// What its units load, or during a swap the new ones.
    pub fn load(&self) -> &LoadModel {
        match &self.roster.candidate {
            Some(candidate) => &candidate.load,
            None => &self.roster.current.load,
        }
    }

    /// True during a swap to another version.
    pub fn is_swapping(&self) -> bool {
        self.roster.candidate.is_some()
    }

    /// True if its package cannot be used.
    pub fn is_unusable(&self) -> bool {
        self.unusable.is_some()
    }

    /// The bounds for the number of units.
    pub fn bounds(&self) -> UnitBounds {
        self.bounds
    }

    /// Stopped | Stopping | Failed -> Starting, or Failed while its package cannot be used.
    pub fn start(&mut self) {
        self.is_wanted = true;
        self.state = if self.unusable.is_some() { ModelState::Failed } else { ModelState::Starting };
        (self.roster.failed_loads, self.roster.load_failure) = (0, None);
        self.desired = self.bounds.min;
    }

    /// Starting | Running | Failed -> Stopping
    pub fn stop(&mut self) {
        self.is_wanted = false;
        self.state = ModelState::Stopping;
    }

    /// Changes the bounds. Units that stay continue to work.
    pub fn rescale(&mut self, bounds: UnitBounds) {
        self.bounds = bounds;
        let most = bounds.max.unwrap_or(bounds.min);
        self.desired = self.desired.clamp(bounds.min, most);
        self.scaler = bounds.max.map(|max| Autoscaler::new(bounds.min, max));
    }

    /// Starts a swap to another version. A FAILED model starts again with it.
    pub fn swap(&mut self, version: ModelVersion) {
        self.unusable = None;
        self.roster.swap(version);
        if self.state == ModelState::Failed {
            self.state = ModelState::Starting;
        }
    }

    /// The number of frames and images that wait or are being processed.
    pub fn in_flight(&self) -> u64 {
        let open = |unit: &Unit| if let UnitState::Busy(batch) = &unit.state { batch.open() } else { 0 };
        (self.roster.units.values().map(open).sum::<usize>() + self.demand.gate.waiting()) as u64
    }

    /// True if nothing waits, and each unit is in service and has nothing to do.
    pub fn is_at_rest(&self) -> bool {
        let has_nothing_to_do = |unit: &Unit| matches!(unit.state, UnitState::Idle) && unit.departure.is_none();
        self.demand.gate.waiting() == 0 && !self.is_swapping() && self.roster.units.values().all(has_nothing_to_do)
    }

    /// The number of units that take work, idle or busy.
    pub fn in_service(&self) -> usize {
        self.roster.in_service()
    }

    /// The number of all units, including those that are loading or leaving.
    pub fn unit_count(&self) -> usize {
        self.roster.units.len()
    }

    /// True if the unit is one of this model's.
    pub fn has_unit(&self, unit: UnitId) -> bool {
        self.roster.units.contains_key(&unit)
    }

    /// The zone where a unit runs.
    pub fn zone_of(&self, unit: UnitId) -> Option<ZoneIndex> {
        self.roster.units.get(&unit).map(|slot| slot.zone)
    }

    /// The version of a unit's package, from the manifest.
    pub fn version_of(&self, unit: UnitId) -> Option<String> {
        self.roster.units.get(&unit).map(|slot| slot.version.package.version.clone())
    }

    /// The number of units to have now; 0 while the model is stopped.
    pub(crate) fn wanted(&self) -> usize {
        if self.is_wanted && self.unusable.is_none() { self.desired } else { 0 }
    }

    /// The number of units below the minimum. No other model may take their places.
    pub(crate) fn missing_minimum(&self) -> usize {
        let minimum = if self.is_draining { 0 } else { self.wanted().min(self.bounds.min) };
        minimum.saturating_sub(self.roster.staying().count())
    }

    /// The number of wanted units above the minimum.
    pub(crate) fn surplus(&self) -> usize {
        self.wanted().saturating_sub(self.bounds.min)
    }

    /// Lowers the desired number by one unit, so that another model can fill its minimum.
    pub(crate) fn give_way(&mut self, actions: &mut Vec<SupervisorAction>) {
        let from = self.desired;
        self.desired -= 1;
        let (model, reason) = (self.name.clone(), ScaleReason::GivesWay);
        actions.push(SupervisorAction::Scaled { model, from, to: self.desired, reason });
    }

    /// Units in service by the version of their package, from RUNNING to STOPPED: a model that stops is in service
    /// until its units have ended.
    pub fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        let is_stopping = self.state == ModelState::Stopping;
        let is_there = |unit: &Unit| match unit.state {
            UnitState::Idle | UnitState::Busy(_) => unit.departure.is_none() || is_stopping,
            UnitState::Stopping { .. } => is_stopping,
            UnitState::Down { .. } | UnitState::Loading { .. } | UnitState::Dying { .. } => false,
        };
        let mut counts: Vec<(Arc<Package>, usize)> = Vec::new();
        if !matches!(self.state, ModelState::Running | ModelState::Stopping) {
            return counts;
        }
        for unit in self.roster.units.values().filter(|unit| is_there(unit)) {
            let package = &unit.version.package;
            match counts.iter_mut().find(|(counted, _)| Arc::ptr_eq(counted, package)) {
                Some((_, count)) => *count += 1,
                None => counts.push((Arc::clone(package), 1)),
            }
        }
        counts
    }

    /// The zone and node counts of each unit in service, oldest unit first.
    pub fn units_in_service(&self) -> impl Iterator<Item = (ZoneIndex, &NodeCounts)> {
        self.roster.units.values().filter(|unit| unit.is_in_service()).map(|unit| (unit.zone, &unit.providers))
    }

    /// The daemon was suspended for `gap`: deadlines of healthy units move by it.
    pub fn paused(&mut self, gap: Duration) {
        self.roster.units.values_mut().for_each(|unit| unit.paused(gap));
        self.unserved_since = self.unserved_since.map(|since| since + gap);
    }
}
