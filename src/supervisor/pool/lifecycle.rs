//! What becomes of units: they load, hang, grow, die and are started again.

use super::{Pool, Room, Unit};
use crate::admission::Work;
use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::autoscaler::{EVALUATION_PERIOD, LoadSample};
use crate::supervisor::batch::Batch;
use crate::supervisor::unit_state::{Readiness, UnitId, UnitState};
use crate::supervisor::zones::{LASTING_LIFE, ZoneIndex};
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::time::Duration;

/// A unit that was told to stop and has nothing to do ends within this, or is killed.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A unit that has grown by so many bytes since it was young is replaced before it hurts.
const MOST_GROWTH_BYTES: u64 = 100 << 20;

/// With every unit gone, nobody waits longer than this for one to come back: a restart takes a fraction of it.
const FAIL_FAST_AFTER: Duration = Duration::from_secs(1);

/// Its size is that of a young unit once it has done so many items.
const YOUNG_ITEMS: u64 = 20;

impl Pool {
    /// What time alone brings: starts, deadlines, frames that are too old, scaling.
    pub fn tick(&mut self, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        self.enforce_deadlines(now, actions);
        self.shed_stale(actions, now);
        if now.since(self.evaluated_at) >= EVALUATION_PERIOD {
            self.evaluate(room.units, now, actions);
        }
        self.reconcile(room, now, actions);
        self.fail_fast(now, actions);
        let is_draining = self.is_draining;
        let due = |slot: &Unit| !is_draining && matches!(slot.state, UnitState::Down { until } if now >= until);
        for (&unit, slot) in self.units.iter_mut().filter(|(_, slot)| due(slot)) {
            let candidate = self.candidate.as_ref().filter(|candidate| candidate.id == slot.version);
            let load = Box::new(candidate.unwrap_or(&self.current).load.clone());
            actions.push(SupervisorAction::Start { unit, load });
        }
    }

    /// Where a unit is placed.
    pub fn zone_of(&self, unit: UnitId) -> Option<ZoneIndex> {
        self.units.get(&unit).map(|slot| slot.zone)
    }

    fn enforce_deadlines(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        let deadline = |batch: &Batch| self.service_time.deadline(self.deadlines.inference, batch.transactions());
        let mut failed = Vec::new();
        for (&unit, slot) in &mut self.units {
            let why = match &slot.state {
                UnitState::Loading { since } if now.since(*since) > self.deadlines.load => {
                    "it did not load its model in time"
                }
                UnitState::Busy(batch) if now.since(batch.since()) > deadline(batch) => "it did not answer in time",
                UnitState::Stopping { since } if now.since(*since) > STOP_LIMIT => "it did not stop in time",
                _ => continue,
            };
            // Loading | Busy | Stopping -> Dying
            if let UnitState::Busy(batch) = std::mem::replace(&mut slot.state, UnitState::Dying) {
                failed.push((batch, slot.zone));
            }
            actions.push(SupervisorAction::Kill { unit, why });
        }
        for (batch, zone) in failed {
            self.break_off(batch, zone, FailureCause::UnitHung, now, actions);
        }
        self.dispatch(actions, now);
    }

    /// Images that wait are refused when there is nobody to wait for; a camera's frame gets stale by itself.
    fn fail_fast(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        if self.in_service() > 0 {
            self.unserved_since = None;
            return;
        }
        if now.since(*self.unserved_since.get_or_insert(now)) >= FAIL_FAST_AFTER {
            for image in self.gate.images.take_all() {
                self.end(actions, Work::Image(image), Outcome::Shed(ShedReason::NoUnits), None);
            }
        }
    }

    fn evaluate(&mut self, units_left: usize, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        let (arrivals, completed) = (std::mem::take(&mut self.arrivals), std::mem::take(&mut self.completed));
        self.evaluated_at = now;
        let is_steady = self.candidate.is_none() && self.is_wanted && !self.is_draining;
        let (ready, room) = (self.in_service(), self.unit_count() + units_left);
        let sample = self.service_time.average().filter(|_| is_steady).map(|service_time| LoadSample {
            arrivals,
            completed,
            service_time,
            ready,
            is_healthy: ready == self.desired,
            room,
        });
        let Some(scaler) = &mut self.scaler else { return };
        if let Some((to, reason)) = scaler.observe(sample, self.desired, now) {
            let from = std::mem::replace(&mut self.desired, to);
            actions.push(SupervisorAction::Scaled { model: self.name.clone(), from, to, reason });
        }
    }

    /// A unit's process was started. Down -> Loading
    pub fn unit_started(&mut self, unit: UnitId, now: Monotonic) {
        if let Some(slot) = self.units.get_mut(&unit) {
            slot.state = UnitState::Loading { since: now };
        }
    }

    /// A unit has loaded its model and takes so many pictures together. Loading -> Idle
    pub fn unit_ready(
        &mut self,
        unit: UnitId,
        ready: Readiness,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if !matches!(slot.state, UnitState::Loading { .. }) {
            return;
        }
        slot.state = UnitState::Idle;
        slot.ready_since = Some(now);
        (slot.providers, slot.batch) = (ready.providers, ready.batch.max(1));
        (slot.items_done, slot.invalid_in_row, slot.first_bytes) = (0, 0, None);
        room.zones.unit_ready(slot.zone, now);
        (self.failed_loads, self.load_failure) = (0, None);
        self.dispatch(actions, now);
        self.reconcile(room, now, actions);
    }

    /// A unit says why it cannot load; its end follows.
    pub fn unit_load_failed(&mut self, unit: UnitId, reason: String) {
        let version = self.units.get(&unit).map(|slot| slot.version);
        if self.candidate.as_ref().is_some_and(|candidate| Some(candidate.id) == version) {
            self.swap_failure = Some(reason);
        } else {
            self.load_failure = Some(reason);
        }
    }

    /// How large a unit's process is. One that has grown is replaced.
    pub fn unit_measured(&mut self, unit: UnitId, bytes: u64) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if slot.items_done >= YOUNG_ITEMS {
            let first = *slot.first_bytes.get_or_insert(bytes);
            slot.is_worn |= bytes > first + MOST_GROWTH_BYTES;
        }
    }

    /// A unit's process is gone, or could not be started. Any -> Down, or the unit is gone too.
    pub fn unit_ended(
        &mut self,
        unit: UnitId,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        let ready_since = slot.ready_since.take();
        let until = slot.restart_policy.died(ready_since, slot.items_done, now);
        let before = std::mem::replace(&mut slot.state, UnitState::Down { until });
        let (version, zone, is_retiring) = (slot.version, slot.zone, slot.is_retiring);
        slot.is_worn = false;
        if let UnitState::Busy(batch) = before {
            self.break_off(batch, zone, FailureCause::UnitDied, now, actions);
        }
        if is_retiring {
            self.remove(unit, room);
        } else {
            let is_candidate = self.candidate.as_ref().is_some_and(|candidate| candidate.id == version);
            if is_candidate && ready_since.is_none() {
                // Nothing is started again, and what serves has lost nothing.
                self.abort_rollout(room, actions);
            } else {
                self.restarts += 1;
                self.failed_loads += u32::from(ready_since.is_none());
                self.judge_zone(unit, zone, ready_since, room, now);
            }
        }
        self.dispatch(actions, now);
        self.reconcile(room, now, actions);
    }

    /// A short life counts against the zone; from a zone that is out the unit moves at once.
    fn judge_zone(
        &mut self,
        unit: UnitId,
        zone: ZoneIndex,
        ready: Option<Monotonic>,
        room: &mut Room<'_>,
        now: Monotonic,
    ) {
        if ready.is_none_or(|since| now.since(since) < LASTING_LIFE) {
            room.zones.unit_failed(zone, now);
        }
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if room.zones.is_to_be_left(zone) {
            room.zones.leave(zone);
            *slot = Unit::new(slot.version, room.zones.place(), now);
        }
    }
}
