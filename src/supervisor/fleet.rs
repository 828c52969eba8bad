//! All units of the box: the pools of its models, the zones they share, and what the box can carry.
//!
//! Methods take `now` as an argument and return actions; nothing here waits or does I/O.

mod commands;
mod hardware;
mod room;

pub use commands::FleetError;
pub use hardware::{BoxLimits, ZonePlacement};

use crate::admission::{FrameWork, ImageWork};
use crate::ipc::messages::RequestId;
use crate::model::package::Package;
use crate::supervisor::actions::{Answer, ModelStatus, SupervisorAction};
use crate::supervisor::model_version::VersionId;
use crate::supervisor::pool::Pool;
use crate::supervisor::unit_state::{Readiness, UnitId};
use crate::supervisor::zones::{ZoneIndex, Zones};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The assumed memory of a unit before the first measurement. The default detector takes 75 MB.
const ASSUMED_UNIT_BYTES: u64 = 100 << 20;

/// All units of the box.
#[derive(Debug)]
pub struct Fleet {
    pools: BTreeMap<String, Pool>,
    cameras: BTreeMap<CameraId, String>,
    zones: Zones,
    placements: Vec<ZonePlacement>,
    limits: BoxLimits,
    next_unit: u32,
    next_version: u32,
    available_bytes: Option<u64>,
    unit_bytes: u64,
    /// Killed units whose processes do not end.
    undead: BTreeSet<UnitId>,
}

impl Fleet {
    /// A box without models. `placements` has at least one zone.
    pub fn new(placements: Vec<ZonePlacement>, zones: Zones, limits: BoxLimits) -> Self {
        Self {
            pools: BTreeMap::new(),
            cameras: BTreeMap::new(),
            zones,
            placements,
            limits,
            next_unit: 0,
            next_version: 0,
            available_bytes: None,
            unit_bytes: ASSUMED_UNIT_BYTES,
            undead: BTreeSet::new(),
        }
    }

    /// The number of the next version.
    pub fn next_version(&mut self) -> VersionId {
        self.next_version += 1;
        VersionId(self.next_version)
    }

    /// Adds a stopped model.
    pub fn add_model(&mut self, pool: Pool) {
        self.pools.insert(pool.package().model.clone(), pool);
    }

    /// True if there is a model of that name.
    pub fn has_model(&self, name: &str) -> bool {
        self.pools.contains_key(name)
    }

    /// The pool of a model.
    pub fn model(&self, name: &str) -> Option<&Pool> {
        self.pools.get(name)
    }

    /// The pools of all models by name.
    pub fn models(&self) -> impl Iterator<Item = (&String, &Pool)> {
        self.pools.iter()
    }

    /// Assigns a camera to a model; does nothing if there is no such model. `weight` is the camera's scheduling weight.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32, model: &str) {
        if let Some(pool) = self.pools.get_mut(model) {
            pool.add_camera(camera.clone(), weight);
            self.cameras.insert(camera, model.to_owned());
        }
    }

    /// Gives a camera another weight or model. A frame that waits for the model before is shed.
    pub fn move_camera(&mut self, camera: &CameraId, weight: u32, model: &str) -> Vec<SupervisorAction> {
        if self.model_of(camera) == Some(model) {
            if let Some(pool) = self.pools.get_mut(model) {
                pool.set_weight(camera, weight);
            }
            return Vec::new();
        }
        let actions = self.remove_camera(camera);
        self.add_camera(camera.clone(), weight, model);
        actions
    }

    /// Removes a camera. Its waiting frame is shed.
    pub fn remove_camera(&mut self, camera: &CameraId) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        if let Some(pool) = self.cameras.remove(camera).and_then(|model| self.pools.get_mut(&model)) {
            pool.remove_camera(camera, &mut actions);
        }
        actions
    }

    /// The model that analyses a camera's frames.
    pub fn model_of(&self, camera: &CameraId) -> Option<&str> {
        self.cameras.get(camera).map(String::as_str)
    }

    /// Updates the memory that the kernel reports as available, and the size of the largest unit's process.
    pub fn memory(&mut self, available_bytes: Option<u64>, largest_unit_bytes: Option<u64>) {
        self.available_bytes = available_bytes;
        self.unit_bytes = largest_unit_bytes.unwrap_or(self.unit_bytes);
    }

    /// The name of the model that a unit belongs to.
    fn owner(&self, unit: UnitId) -> Option<String> {
        self.pools.iter().find(|(_, pool)| pool.has_unit(unit)).map(|(name, _)| name.clone())
    }

    /// A capture process announced a frame.
    pub fn frame_captured(&mut self, work: FrameWork, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let pool = self.cameras.get(&work.camera).and_then(|model| self.pools.get_mut(model));
        match pool {
            Some(pool) => pool.frame_captured(work, now, &mut actions),
            None => {
                let outcome = Outcome::Shed(ShedReason::ModelStopped);
                actions.push(SupervisorAction::Ended { work, outcome, answer: None });
            }
        }
        actions
    }

    /// An image arrived for a model.
    ///
    /// # Errors
    /// Returns the image if there is no such model.
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

    /// A capture process kept a frame that was due to itself.
    pub fn frame_kept_back(&mut self, camera: &CameraId, reason: ShedReason) {
        if let Some(pool) = self.cameras.get(camera).and_then(|model| self.pools.get_mut(model)) {
            pool.frame_kept_back(camera, reason);
        }
    }

    /// A unit has loaded its model.
    pub fn unit_ready(&mut self, unit: UnitId, ready: Readiness, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        if let Some(model) = self.owner(unit) {
            self.with_pool(&model, &mut actions, |pool, room, actions| {
                pool.unit_ready(unit, ready, room, now, actions);
            });
        }
        actions
    }

    /// A unit reported why it cannot load its model; its exit follows.
    pub fn unit_load_failed(&mut self, unit: UnitId, reason: String) {
        if let Some(pool) = self.pools.values_mut().find(|pool| pool.has_unit(unit)) {
            pool.unit_load_failed(unit, reason);
        }
    }

    /// The memory of a unit's process was measured.
    pub fn unit_measured(&mut self, unit: UnitId, bytes: u64) {
        if let Some(pool) = self.pools.values_mut().find(|pool| pool.has_unit(unit)) {
            pool.unit_measured(unit, bytes);
        }
    }

    /// A unit replied to a request.
    pub fn unit_answered(
        &mut self,
        unit: UnitId,
        request: RequestId,
        result: Result<Answer, FailureCause>,
        now: Monotonic,
    ) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        if let Some(pool) = self.pools.values_mut().find(|pool| pool.has_unit(unit)) {
            pool.unit_answered(unit, request, result, now, &mut actions);
        }
        actions
    }

    /// A unit's process has ended, or could not be started.
    pub fn unit_ended(&mut self, unit: UnitId, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        match self.owner(unit) {
            Some(model) => {
                self.with_pool(&model, &mut actions, |pool, room, actions| pool.unit_ended(unit, room, now, actions));
            }
            // A killed unit whose process did not end in time, and now did.
            None => drop(self.undead.remove(&unit)),
        }
        actions
    }

    /// Does what is due by `now`.
    pub fn tick(&mut self, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        self.make_room_for_minima(&mut actions);
        let models: Vec<String> = self.pools.keys().cloned().collect();
        for model in models {
            let undead = self.with_pool(&model, &mut actions, |pool, room, actions| pool.tick(room, now, actions));
            self.undead.extend(undead.unwrap_or_default());
        }
        actions
    }

    /// The daemon was suspended for `gap`: deadlines of healthy units move by it.
    pub fn paused(&mut self, gap: Duration) {
        self.pools.values_mut().for_each(|pool| pool.paused(gap));
    }

    /// Stops accepting work; units finish their current batches.
    pub fn drain(&mut self) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        self.pools.values_mut().for_each(|pool| pool.drain(&mut actions));
        actions
    }

    /// The drain deadline has passed: work without a reply fails.
    pub fn abandon(&mut self, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        self.pools.values_mut().for_each(|pool| pool.abandon(now, &mut actions));
        actions
    }

    /// The number of frames and images that wait or are being processed.
    pub fn in_flight(&self) -> u64 {
        self.pools.values().map(Pool::in_flight).sum()
    }

    /// True if nothing is in flight, and no unit starts, works or stops.
    pub fn is_at_rest(&self) -> bool {
        self.pools.values().all(Pool::is_at_rest)
    }

    /// Units in service by package, for the meter of inference hours.
    pub fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        self.pools.values().flat_map(Pool::metered).collect()
    }

    /// The status of every model by name, with the zones of its units.
    pub fn status(&self) -> BTreeMap<String, ModelStatus> {
        let of = |pool: &Pool| {
            let mut status = pool.status();
            for (ZoneIndex(zone), providers) in pool.units_in_service() {
                let name = &self.placements[zone].name;
                *status.zones.entry(name.clone()).or_default() += 1;
                // All units of a zone have the same counts, except during a swap: then the newest unit's are shown.
                status.nodes.insert(name.clone(), providers.clone());
            }
            status
        };
        self.pools.iter().map(|(name, pool)| (name.clone(), of(pool))).collect()
    }

    /// Problems of the box as a whole, as texts for the operator.
    pub fn degraded(&self) -> Vec<String> {
        let zones = self.zones.out().into_iter().map(|zone| format!("zone {zone} is out: its units failed"));
        let undead = (!self.undead.is_empty()).then(|| {
            let names: Vec<String> = self.undead.iter().map(UnitId::to_string).collect();
            format!("killed inference units do not end, so a device or its driver hangs: {}", names.join(", "))
        });
        zones.chain(undead).collect()
    }

    /// Names of the zones that are out.
    pub fn zones_out(&self) -> Vec<String> {
        self.zones.out().into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
