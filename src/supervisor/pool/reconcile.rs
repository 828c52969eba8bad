//! Brings the units to the number, the version and the zones that are wanted.
//!
//! Whatever changes, the new unit is in service before the old one goes: a rollout, a move between
//! zones and the replacement of a worn unit each take one unit more than wanted for a while.

use super::{Pool, Room, Unit};
use crate::supervisor::actions::{ModelState, SupervisorAction};
use crate::supervisor::unit_state::{UnitId, UnitState, VersionId};
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::ShedReason;

/// After so many loads that failed in a row, without one unit in service, the model is FAILED.
const FAILED_AFTER: u32 = 3;

impl Pool {
    /// The new version does not load: its units go, the old one never stopped.
    pub(super) fn abort_rollout(&mut self, room: &mut Room<'_>, actions: &mut Vec<SupervisorAction>) {
        let Some(candidate) = self.candidate.take() else { return };
        self.swap_failure.get_or_insert_with(|| "its unit ended while it loaded".into());
        let units: Vec<UnitId> =
            self.units.iter().filter(|(_, slot)| slot.version == candidate.id).map(|(unit, _)| *unit).collect();
        for unit in units {
            if let Some(slot) = self.units.get_mut(&unit) {
                slot.is_retiring = true;
                match slot.state {
                    UnitState::Down { .. } => self.remove(unit, room),
                    UnitState::Stopping { .. } | UnitState::Dying | UnitState::Busy(_) => {}
                    UnitState::Loading { .. } | UnitState::Idle => {
                        slot.state = UnitState::Dying;
                        actions.push(SupervisorAction::Kill { unit, why: "its version was not taken" });
                    }
                }
            }
        }
    }

    pub(super) fn remove(&mut self, unit: UnitId, room: &mut Room<'_>) {
        if let Some(slot) = self.units.remove(&unit) {
            room.zones.leave(slot.zone);
            room.units += 1;
        }
    }

    /// Adds and retires units until there are those that are wanted.
    pub(super) fn reconcile(&mut self, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        // The units go with the daemon.
        if self.is_draining {
            return;
        }
        let wanted = if self.is_wanted { self.desired } else { 0 };
        if wanted == 0 {
            self.shed_all(ShedReason::ModelStopped, actions);
        }
        self.shrink(wanted, room, now, actions);
        self.grow(wanted, room, now);
        self.stop_retired(now, actions);
        self.finish_rollout(wanted);
        self.renew_state(wanted);
    }

    /// The new version is the current one when all units have it.
    fn finish_rollout(&mut self, wanted: usize) {
        let is_everywhere =
            |id| !self.units.is_empty() && self.units.values().all(|slot| slot.version == id && slot.is_in_service());
        if let Some(candidate) = self.candidate.take_if(|candidate| is_everywhere(candidate.id)) {
            self.current = candidate;
        } else if wanted == 0 && self.candidate.take().is_some() {
            self.swap_failure = Some("the model was stopped meanwhile".into());
        }
    }

    fn live(&self) -> impl Iterator<Item = (&UnitId, &Unit)> {
        self.units.iter().filter(|(_, slot)| !slot.is_retiring)
    }

    fn target_version(&self) -> VersionId {
        self.candidate.as_ref().unwrap_or(&self.current).id
    }

    fn shrink(&mut self, wanted: usize, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        // A move whose unit did not get up is given up.
        if self.is_moving {
            let fallen = self.live().find(|(_, slot)| matches!(slot.state, UnitState::Down { until } if until > now));
            let fallen = fallen.map(|(unit, _)| *unit).filter(|_| self.live().count() > wanted);
            if let Some(unit) = fallen {
                self.remove(unit, room);
            }
            self.is_moving = self.live().count() > wanted;
        }
        let has_guest = self.is_moving || self.candidate.is_some() || self.live().any(|(_, slot)| slot.is_worn);
        let surge = usize::from(has_guest && wanted > 0);
        while self.live().count() > wanted + surge || (surge > 0 && self.in_service() > wanted) {
            let is_pending_first = self.live().count() > wanted + surge;
            let Some(victim) = self.victim(is_pending_first, room) else { break };
            let Some(slot) = self.units.get_mut(&victim) else { break };
            slot.is_retiring = true;
            match slot.state {
                UnitState::Down { .. } => self.remove(victim, room),
                UnitState::Loading { .. } => {
                    slot.state = UnitState::Dying;
                    actions.push(SupervisorAction::Kill { unit: victim, why: "it is no longer wanted" });
                }
                _ => {}
            }
        }
        if self.live().count() <= wanted {
            self.is_moving = false;
        }
    }

    /// Who goes: a worn unit, one of another version, else the newest in the zone that has most.
    fn victim(&self, is_pending_first: bool, room: &Room<'_>) -> Option<UnitId> {
        let target = self.target_version();
        let rank = |(unit, slot): &(&UnitId, &Unit)| {
            let is_pending = is_pending_first && !slot.is_in_service();
            (is_pending, slot.is_worn, slot.version != target, room.zones.units(slot.zone), **unit)
        };
        let candidates = self.live().filter(|(_, slot)| is_pending_first || slot.is_in_service());
        candidates.max_by_key(rank).map(|(unit, _)| *unit)
    }

    fn grow(&mut self, wanted: usize, room: &mut Room<'_>, now: Monotonic) {
        self.blocked = None;
        while self.live().count() < wanted {
            if !self.add(room, None, now) {
                return;
            }
        }
        if wanted == 0 || self.live().any(|(_, slot)| !slot.is_in_service()) {
            return;
        }
        // All are in service: room for one more step of a rollout, of a replacement, or of a move.
        let has_old = self.live().any(|(_, slot)| slot.version != self.target_version() || slot.is_worn);
        if self.live().count() == wanted && has_old {
            self.add(room, None, now);
        } else if self.live().count() == wanted
            && room.units > 0
            && self.candidate.is_none()
            && let Some(zone) = room.zones.place_to_balance(now)
        {
            self.is_moving = self.add(room, Some(zone), now);
        }
    }

    fn add(&mut self, room: &mut Room<'_>, zone: Option<ZoneIndex>, now: Monotonic) -> bool {
        if room.units == 0 {
            self.blocked = Some(room.limit.to_owned());
            return false;
        }
        room.units -= 1;
        let zone = zone.unwrap_or_else(|| room.zones.place());
        let unit = UnitId(*room.next_unit);
        *room.next_unit += 1;
        self.units.insert(unit, Unit::new(self.target_version(), zone, now));
        true
    }

    /// Those that go and have nothing to do are told to end. Idle -> Stopping
    fn stop_retired(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        for (&unit, slot) in &mut self.units {
            if slot.is_retiring && matches!(slot.state, UnitState::Idle) {
                slot.state = UnitState::Stopping { since: now };
                actions.push(SupervisorAction::Stop { unit });
            }
        }
    }

    fn renew_state(&mut self, wanted: usize) {
        let in_service = self.in_service();
        let is_failing = self.failed_loads >= FAILED_AFTER;
        // No more units will come: those that are there give what they can.
        let is_short = is_failing || (self.blocked.is_some() && self.live().all(|(_, slot)| slot.is_in_service()));
        self.state = match self.state {
            ModelState::Starting if in_service > 0 && (in_service >= wanted || is_short) => ModelState::Running,
            ModelState::Starting if is_failing => ModelState::Failed,
            ModelState::Failed if in_service > 0 => ModelState::Running,
            ModelState::Stopping if self.units.is_empty() => ModelState::Stopped,
            state => state,
        };
    }
}
