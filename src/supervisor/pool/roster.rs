//! The units of one model, their versions, and the events of their processes.
//!
//! `reconcile` brings them to the desired number, version and zones.

use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::batch::Batch;
use crate::supervisor::model_version::{ModelVersion, VersionId};
use crate::supervisor::pool::bounds::{Room, UnitDeadlines};
use crate::supervisor::service_time::ServiceTime;
use crate::supervisor::unit_state::{Departure, Readiness, Unit, UnitId, UnitState};
use crate::supervisor::zones::{LASTING_LIFE, ZoneIndex};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long an idle unit may take to exit before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A killed process that has not ended after this time hangs in the kernel, usually in a driver.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// A unit whose memory has grown by more than this is replaced.
const MOST_GROWTH_BYTES: u64 = 100 << 20;

/// The number of items after which a unit's memory is the baseline for its growth.
const YOUNG_ITEMS: u64 = 20;

/// The batch of a unit that failed to reply to all of it, and the unit's zone.
pub(super) type Unanswered = (Batch, ZoneIndex);

/// The units of one model and their versions.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) units: BTreeMap<UnitId, Unit>,
    pub(super) current: Arc<ModelVersion>,
    /// The new version of a rollout.
    pub(super) candidate: Option<Arc<ModelVersion>>,
    /// One unit above the wanted number is starting in another zone, to replace one here.
    pub(super) is_moving: bool,
    /// Processes restarted since the daemon started.
    pub(super) restarts: u64,
    /// Loads that failed since a unit was last ready.
    pub(super) failed_loads: u32,
    pub(super) load_failure: Option<String>,
    pub(super) swap_failure: Option<String>,
    /// Why wanted units are missing.
    pub(super) blocked: Option<String>,
    /// Why a zone that is out is not probed.
    pub(super) unprobed: Option<String>,
}

impl Roster {
    /// No units yet.
    pub(super) fn new(version: ModelVersion) -> Self {
        Self {
            units: BTreeMap::new(),
            current: Arc::new(version),
            candidate: None,
            is_moving: false,
            restarts: 0,
            failed_loads: 0,
            load_failure: None,
            swap_failure: None,
            blocked: None,
            unprobed: None,
        }
    }

    /// The version that every unit will have in the end.
    pub(super) fn target(&self) -> Arc<ModelVersion> {
        Arc::clone(self.candidate.as_ref().unwrap_or(&self.current))
    }

    /// The number of units that take work, idle or busy.
    pub(super) fn in_service(&self) -> usize {
        self.units.values().filter(|unit| unit.is_in_service()).count()
    }

    /// Units that are not being removed.
    pub(super) fn staying(&self) -> impl Iterator<Item = (&UnitId, &Unit)> {
        self.units.iter().filter(|(_, unit)| unit.stays())
    }

    /// Starts a rollout. Units of the new version start before those of the old one leave, so a version that does not
    /// load replaces nothing.
    pub(super) fn swap(&mut self, version: ModelVersion) {
        (self.swap_failure, self.load_failure, self.failed_loads) = (None, None, 0);
        if self.staying().next().is_some() {
            self.candidate = Some(Arc::new(version));
        } else {
            (self.current, self.candidate) = (Arc::new(version), None);
        }
    }

    /// Starts the processes whose backoff is over. Down -> Loading
    pub(super) fn start_due(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        for (&unit, slot) in &mut self.units {
            if matches!(slot.state, UnitState::Down { until } if now >= until) {
                slot.state = UnitState::Loading { since: now };
                let ModelVersion { package, load, .. } = &*slot.version;
                let (model, load) = (package.model.clone(), Box::new(load.clone()));
                actions.push(SupervisorAction::Start { unit, model, load });
            }
        }
    }

    /// Kills every unit that has missed a deadline and returns its work. Loading | Busy | Stopping -> Dying
    pub(super) fn kill_late(
        &mut self,
        deadlines: UnitDeadlines,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) -> Vec<Unanswered> {
        let mut unanswered = Vec::new();
        for (&unit, slot) in &mut self.units {
            let why = match &slot.state {
                UnitState::Loading { since } if now.since(*since) > deadlines.load => {
                    "it did not load its model in time"
                }
                UnitState::Busy(batch)
                    if now.since(batch.since()) > slot.times.deadline(deadlines.inference, batch.transactions()) =>
                {
                    "it did not answer in time"
                }
                UnitState::Stopping { since } if now.since(*since) > STOP_LIMIT => "it did not exit in time",
                _ => continue,
            };
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying { since: now }) {
                unanswered.push((batch, slot.zone));
                // It may have become slow for good: the longest limit counts until it is measured again.
                slot.times = ServiceTime::default();
            }
            actions.push(SupervisorAction::Kill { unit, why });
        }
        unanswered
    }

    /// Removes killed units whose processes do not end, and returns them. Their places become free, and it counts as a
    /// failure of their zones.
    pub(super) fn give_up_undead(
        &mut self,
        wanted: usize,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) -> Vec<UnitId> {
        let is_undead =
            |slot: &Unit| matches!(slot.state, UnitState::Dying { since } if now.since(since) > DEATH_LIMIT);
        let undead: Vec<UnitId> =
            self.units.iter().filter(|(_, slot)| is_undead(slot)).map(|(unit, _)| *unit).collect();
        for unit in &undead {
            let Some(slot) = self.units.get(unit) else { continue };
            room.zones.unit_failed(slot.zone, now);
            let (is_load, version) = (slot.departure.is_none() && slot.ready_since.is_none(), slot.version.id);
            self.restarts += 1;
            self.failed_loads += u32::from(is_load);
            self.remove(*unit, room);
            if is_load && self.is_unproven_candidate(version) {
                self.abort_rollout(wanted, room, now, actions);
            }
        }
        undead
    }

    /// A unit has loaded its model. Loading -> Idle. False if it was not loading.
    pub(super) fn ready(&mut self, unit: UnitId, ready: Readiness, room: &mut Room<'_>, now: Monotonic) -> bool {
        let Some(slot) = self.units.get_mut(&unit) else { return false };
        if !matches!(slot.state, UnitState::Loading { .. }) {
            return false;
        }
        slot.state = UnitState::Idle;
        slot.ready_since = Some(now);
        (slot.providers, slot.batch) = (ready.providers, ready.batch.max(1));
        slot.cache_problem = ready.cache_problem;
        (slot.items_done, slot.invalid_in_row, slot.first_bytes) = (0, 0, None);
        room.zones.unit_ready(slot.zone, now);
        (self.failed_loads, self.load_failure) = (0, None);
        true
    }

    /// A unit reported why it cannot load its model; its exit follows.
    pub(super) fn load_failed(&mut self, unit: UnitId, reason: String) {
        let version = self.units.get(&unit).map(|slot| slot.version.id);
        if self.candidate.as_ref().is_some_and(|candidate| Some(candidate.id) == version) {
            self.swap_failure = Some(reason);
        } else {
            self.load_failure = Some(reason);
        }
    }

    /// The memory of a unit's process was measured. A unit that has grown too much is replaced.
    pub(super) fn measured(&mut self, unit: UnitId, bytes: u64) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if slot.items_done >= YOUNG_ITEMS {
            let first = *slot.first_bytes.get_or_insert(bytes);
            slot.is_worn |= bytes > first + MOST_GROWTH_BYTES;
        }
    }

    /// A unit's process has ended, or could not be started. Any -> Down, or the unit is removed. Returns its open work.
    /// `wanted` is the desired number of units.
    pub(super) fn ended(
        &mut self,
        unit: UnitId,
        wanted: usize,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) -> Option<Unanswered> {
        let version = self.units.get(&unit)?.version.id;
        let is_unproven = self.is_unproven_candidate(version);
        let slot = self.units.get_mut(&unit)?;
        let ready_since = slot.ready_since.take();
        let until = slot.restart_policy.died(ready_since, slot.items_done, now);
        let before = std::mem::replace(&mut slot.state, UnitState::Down { until });
        let zone = slot.zone;
        slot.is_worn = false;
        match slot.departure {
            Some(Departure::Retired) => self.remove(unit, room),
            Some(Departure::Replaced { zone }) => self.succeed(unit, zone, room, now),
            // A new version that does not load is not retried; the old one still serves.
            None if is_unproven && ready_since.is_none() => {
                self.abort_rollout(wanted, room, now, actions);
            }
            None => {
                self.restarts += 1;
                self.failed_loads += u32::from(ready_since.is_none());
                self.judge_zone(unit, ready_since, room, now);
            }
        }
        match before {
            UnitState::Busy(batch) => Some((batch, zone)),
            _ => None,
        }
    }

    /// True for a new version of which no unit has loaded yet. Once one has, a failed start is as that of any unit.
    fn is_unproven_candidate(&self, version: VersionId) -> bool {
        let has_loaded = |slot: &Unit| slot.version.id == version && slot.ready_since.is_some();
        self.candidate.as_ref().is_some_and(|candidate| candidate.id == version) && !self.units.values().any(has_loaded)
    }

    /// Restarts a unit with the wanted version, in its old zone or in another one.
    fn succeed(&mut self, unit: UnitId, zone: ZoneIndex, room: &mut Room<'_>, now: Monotonic) {
        let target = self.target();
        if let Some(slot) = self.units.get_mut(&unit) {
            // The successor was counted in its zone when the zone was chosen.
            if slot.zone != zone {
                room.zones.leave(slot.zone);
            }
            *slot = Unit::new(target, zone, now);
        }
    }

    /// Counts an early death as a failure of the zone. If the zone is out, the unit moves to another one that works, or
    /// that is due to be probed.
    fn judge_zone(&mut self, unit: UnitId, ready: Option<Monotonic>, room: &mut Room<'_>, now: Monotonic) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if ready.is_none_or(|since| now.since(since) < LASTING_LIFE) {
            room.zones.unit_failed(slot.zone, now);
        }
        if let Some(other) = room.zones.place_elsewhere(slot.zone, now) {
            room.zones.leave(slot.zone);
            *slot = Unit::new(Arc::clone(&slot.version), other, now);
        }
    }

    pub(super) fn remove(&mut self, unit: UnitId, room: &mut Room<'_>) {
        if let Some(slot) = self.units.remove(&unit) {
            room.zones.leave(slot.zone);
            if let Some(Departure::Replaced { zone }) = slot.departure
                && zone != slot.zone
            {
                room.zones.leave(zone);
            }
            // The place is free, unless it is reserved for another model's minimum.
            match room.reserved {
                0 => room.units += 1,
                _ => room.reserved -= 1,
            }
        }
    }
}
