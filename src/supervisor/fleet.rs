//! All units of the box: the pools of its models, the zones they share, and what the box can carry.
//!
//! Every method takes `now` and returns what is to be done; nothing here waits or does I/O.

mod commands;

pub use commands::FleetError;

use crate::admission::{FrameWork, ImageWork};
use crate::ipc::messages::RequestId;
use crate::model::execution_provider::ExecutionProvider;
use crate::model::package::Package;
use crate::supervisor::actions::{Answer, ModelStatus, SupervisorAction};
use crate::supervisor::pool::{Pool, Room};
use crate::supervisor::unit_state::{Readiness, UnitId, VersionId};
use crate::supervisor::zones::{ZoneIndex, Zones};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::FailureCause;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the box can carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BoxLimits {
    /// Units of all models together.
    pub units: usize,
    /// Models that run at a time.
    pub models: usize,
    /// Bytes that stay free beside the units.
    pub reserve_bytes: u64,
}

/// What a unit's process is told about its zone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ZonePlacement {
    /// Unique.
    pub name: String,
    /// The cores of its units; none: any.
    pub cores: Vec<u16>,
    /// What computes there, if not what the model says.
    pub execution_provider: Option<ExecutionProvider>,
    /// Which of its devices, in its words; none: that of the model, if the zone names no other provider.
    pub device: Option<String>,
}

/// A unit's size until one was measured: the default detector takes 75 MB.
const ASSUMED_UNIT_BYTES: u64 = 100 << 20;

/// All units of the box.
#[derive(Debug)]
pub struct Fleet {
    pools: BTreeMap<String, Pool>,
    owners: BTreeMap<UnitId, String>,
    cameras: BTreeMap<CameraId, String>,
    zones: Zones,
    placements: Vec<ZonePlacement>,
    limits: BoxLimits,
    next_unit: u32,
    next_version: u32,
    available_bytes: Option<u64>,
    unit_bytes: u64,
}

impl Fleet {
    /// A box without models. `placements` has at least one zone.
    pub fn new(placements: Vec<ZonePlacement>, zones: Zones, limits: BoxLimits) -> Self {
        Self {
            pools: BTreeMap::new(),
            owners: BTreeMap::new(),
            cameras: BTreeMap::new(),
            zones,
            placements,
            limits,
            next_unit: 0,
            next_version: 0,
            available_bytes: None,
            unit_bytes: ASSUMED_UNIT_BYTES,
        }
    }

    /// The next version's name.
    pub fn next_version(&mut self) -> VersionId {
        self.next_version += 1;
        VersionId(self.next_version)
    }

    /// Takes in a stopped model.
    pub fn add_model(&mut self, pool: Pool) {
        self.pools.insert(pool.package().model.clone(), pool);
    }

    /// True if there is a model of that name.
    pub fn has_model(&self, name: &str) -> bool {
        self.pools.contains_key(name)
    }

    /// Gives a camera its place with a model.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32, model: &str) {
        if let Some(pool) = self.pools.get_mut(model) {
            pool.add_camera(camera.clone(), weight);
            self.cameras.insert(camera, model.to_owned());
        }
    }

    /// What the kernel says is available, and the largest process of a unit.
    pub fn memory(&mut self, available_bytes: Option<u64>, largest_unit_bytes: Option<u64>) {
        self.available_bytes = available_bytes;
        self.unit_bytes = largest_unit_bytes.unwrap_or(self.unit_bytes);
    }

    /// Units that memory still carries, each taken a fifth larger than the largest; what loads now is not there yet.
    fn units_by_memory(&self) -> usize {
        let Some(available) = self.available_bytes else { return usize::MAX };
        let each = self.unit_bytes + self.unit_bytes / 5;
        let units = available.saturating_sub(self.limits.reserve_bytes) / each.max(1);
        let pending: usize =
            self.pools.values().map(|pool| pool.unit_count() - pool.in_service().min(pool.unit_count())).sum();
        usize::try_from(units).unwrap_or(usize::MAX).saturating_sub(pending)
    }

    /// Runs `act` on a pool with the box's room, and adds what each started unit must know of its zone.
    fn with_pool(
        &mut self,
        model: &str,
        act: impl FnOnce(&mut Pool, &mut Room<'_>, &mut Vec<SupervisorAction>),
    ) -> Vec<SupervisorAction> {
        let total: usize = self.pools.values().map(Pool::unit_count).sum();
        let (by_limit, by_memory) = (self.limits.units.saturating_sub(total), self.units_by_memory());
        let limit = if by_memory < by_limit { "there is no memory for more" } else { "the box's limit is reached" };
        let mut actions = Vec::new();
        let Some(pool) = self.pools.get_mut(model) else { return actions };
        let mut room =
            Room { zones: &mut self.zones, next_unit: &mut self.next_unit, units: by_limit.min(by_memory), limit };
        act(pool, &mut room, &mut actions);
        for action in &mut actions {
            if let SupervisorAction::Start { unit, load } = action {
                self.owners.insert(*unit, model.to_owned());
                let placement = pool.zone_of(*unit).and_then(|zone| self.placements.get(zone.0));
                if let Some(placement) = placement {
                    load.cores.clone_from(&placement.cores);
                    load.turn_to(placement.execution_provider, placement.device.as_deref());
                }
            }
        }
        actions
    }

    fn with_owner(
        &mut self,
        unit: UnitId,
        act: impl FnOnce(&mut Pool, &mut Room<'_>, &mut Vec<SupervisorAction>),
    ) -> Vec<SupervisorAction> {
        let Some(model) = self.owners.get(&unit).cloned() else { return Vec::new() };
        self.with_pool(&model, act)
    }

    /// A capture process announced a frame.
    pub fn frame_captured(&mut self, work: FrameWork, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let pool = self.cameras.get(&work.camera).and_then(|model| self.pools.get_mut(model));
        if let Some(pool) = pool {
            pool.frame_captured(work, now, &mut actions);
        }
        actions
    }

    /// An image came for a model.
    ///
    /// # Errors
    /// The image comes back when there is no such model.
    pub fn image_offered(
        &mut self,
        model: &str,
        work: ImageWork,
        now: Monotonic,
    ) -> Result<Vec<SupervisorAction>, ImageWork> {
        let mut actions = Vec::new();
        let Some(pool) = self.pools.get_mut(model) else { return Err(work) };
        pool.image_offered(work, now, &mut actions);
        Ok(actions)
    }

    /// A frame was due and its capture process had no slot for it.
    pub fn frame_without_slot(&mut self, camera: &CameraId) {
        if let Some(pool) = self.cameras.get(camera).and_then(|model| self.pools.get_mut(model)) {
            pool.frame_without_slot(camera);
        }
    }

    /// A unit's process was started.
    pub fn unit_started(&mut self, unit: UnitId, now: Monotonic) {
        drop(self.with_owner(unit, |pool, _, _| pool.unit_started(unit, now)));
    }

    /// A unit has loaded its model.
    pub fn unit_ready(&mut self, unit: UnitId, ready: Readiness, now: Monotonic) -> Vec<SupervisorAction> {
        self.with_owner(unit, |pool, room, actions| pool.unit_ready(unit, ready, room, now, actions))
    }

    /// A unit says why it cannot load; its end follows.
    pub fn unit_load_failed(&mut self, unit: UnitId, reason: String) {
        drop(self.with_owner(unit, |pool, _, _| pool.unit_load_failed(unit, reason)));
    }

    /// How large a unit's process is.
    pub fn unit_measured(&mut self, unit: UnitId, bytes: u64) {
        drop(self.with_owner(unit, |pool, _, _| pool.unit_measured(unit, bytes)));
    }

    /// A unit answered.
    pub fn unit_answered(
        &mut self,
        unit: UnitId,
        request: RequestId,
        result: Result<Answer, FailureCause>,
        now: Monotonic,
    ) -> Vec<SupervisorAction> {
        self.with_owner(unit, |pool, _, actions| pool.unit_answered(unit, request, result, now, actions))
    }

    /// A unit's process is gone, or could not be started.
    pub fn unit_ended(&mut self, unit: UnitId, now: Monotonic) -> Vec<SupervisorAction> {
        let actions = self.with_owner(unit, |pool, room, actions| pool.unit_ended(unit, room, now, actions));
        let is_gone = |model: &String| self.pools.get(model).is_none_or(|pool| pool.zone_of(unit).is_none());
        if self.owners.get(&unit).is_some_and(is_gone) {
            self.owners.remove(&unit);
        }
        actions
    }

    /// What time alone brings.
    pub fn tick(&mut self, now: Monotonic) -> Vec<SupervisorAction> {
        let models: Vec<String> = self.pools.keys().cloned().collect();
        let tick = |model: String| self.with_pool(&model, |pool, room, actions| pool.tick(room, now, actions));
        models.into_iter().flat_map(tick).collect()
    }

    /// Takes no more work; what units do is still finished.
    pub fn drain(&mut self) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        self.pools.values_mut().for_each(|pool| pool.drain(&mut actions));
        actions
    }

    /// Ends what units still do when the time to drain is over.
    pub fn abandon(&mut self) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        self.pools.values_mut().for_each(|pool| pool.abandon(&mut actions));
        actions
    }

    /// Frames that wait or are worked on.
    pub fn in_flight(&self) -> u64 {
        self.pools.values().map(Pool::in_flight).sum()
    }

    /// Units in service by package, for the meter of inference hours.
    pub fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        self.pools.values().flat_map(Pool::metered).collect()
    }

    /// Every model by name, with the zones its units are in.
    pub fn status(&self) -> BTreeMap<String, ModelStatus> {
        let of = |pool: &Pool| {
            let mut status = pool.status();
            for (ZoneIndex(zone), providers) in pool.units_in_service() {
                let name = &self.placements[zone].name;
                *status.zones.entry(name.clone()).or_default() += 1;
                // The units of a zone load the same; during a swap the newest counts.
                status.nodes.insert(name.clone(), providers.clone());
            }
            status
        };
        self.pools.iter().map(|(name, pool)| (name.clone(), of(pool))).collect()
    }

    /// Names of the zones that are out.
    pub fn zones_out(&self) -> Vec<String> {
        self.zones.out().into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
