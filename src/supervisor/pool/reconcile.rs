//! Brings the units to the desired number, version and zones.
//!
//! A rollout, a move between zones and the replacement of a worn unit each start the new unit before the old one leaves
//! (a surge of one). If the box has no room for that, units are replaced in their places one by one: capacity is one
//! unit less during each load, and nothing waits for room that may never come. Units that are not in service are
//! replaced at once, since that costs no capacity.

use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::pool::bounds::Room;
use crate::supervisor::pool::roster::Roster;
use crate::supervisor::unit_state::{Departure, Unit, UnitId, UnitState};
use crate::supervisor::zones::ZoneIndex;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;

impl Roster {
    /// Adds, replaces and retires units until they are as wanted.
    pub(super) fn reconcile(
        &mut self,
        wanted: usize,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        (self.blocked, self.unprobed) = (None, None);
        room.zones.close_proven(now);
        if self.is_settled(wanted) {
            self.balance(room, now);
        } else {
            self.renew_broken(now, actions);
            self.shrink(wanted, room, now, actions);
            self.grow(wanted, room, now);
        }
        self.stop_idle(now, actions);
        self.finish_rollout(wanted, actions);
    }

    /// True if every wanted unit is in service with the wanted version. Usual, so it is checked first.
    fn is_settled(&self, wanted: usize) -> bool {
        let is_right = |slot: &Unit| slot.is_in_service() && !slot.is_worn && slot.version.id == self.current.id;
        let is_steady = wanted > 0 && self.candidate.is_none() && !self.is_moving;
        is_steady && self.units.len() == wanted && self.units.values().all(is_right)
    }

    /// Aborts a rollout whose version does not load. The old version takes back the places that it needs; other units
    /// of the new version leave.
    pub(super) fn abort_rollout(
        &mut self,
        wanted: usize,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let Some(candidate) = self.candidate.take() else { return };
        self.swap_failure.get_or_insert_with(|| "its unit ended while loading".into());
        let is_its = |slot: &Unit| slot.version.id == candidate.id;
        let mut missing = wanted.saturating_sub(self.staying().filter(|(_, slot)| !is_its(slot)).count());
        let units: Vec<UnitId> = self.staying().filter(|(_, slot)| is_its(slot)).map(|(unit, _)| *unit).collect();
        for unit in units {
            let is_needed = missing > 0;
            missing = missing.saturating_sub(1);
            let Some(slot) = self.units.get_mut(&unit) else { continue };
            match slot.state {
                UnitState::Down { .. } if is_needed => {
                    *slot = Unit::new(Arc::clone(&self.current), slot.zone, now);
                    continue;
                }
                UnitState::Down { .. } => {
                    self.remove(unit, room);
                    continue;
                }
                UnitState::Loading { .. } | UnitState::Idle => {
                    slot.state = UnitState::Dying { since: now };
                    actions.push(SupervisorAction::Kill { unit, why: "its version was not taken" });
                }
                UnitState::Stopping { .. } | UnitState::Dying { .. } | UnitState::Busy(_) => {}
            }
            self.depart(unit, is_needed, room);
        }
    }

    /// Lets a unit leave: it gets no more work, and its place is kept for a successor or freed.
    fn depart(&mut self, unit: UnitId, is_replaced: bool, room: &mut Room<'_>) {
        let Some(slot) = self.units.get_mut(&unit) else { return };
        if let Some(Departure::Replaced { zone }) = slot.departure
            && zone != slot.zone
        {
            room.zones.leave(zone);
        }
        let stays = Departure::Replaced { zone: slot.zone };
        slot.departure = Some(if is_replaced { stays } else { Departure::Retired });
    }

    /// Gives units that are not in service the wanted version. Until a unit of that version was ready, one unit at a
    /// time tries it, unless none is in service.
    fn renew_broken(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        let target = self.target();
        let is_new = |slot: &Unit| slot.version.id == target.id;
        let is_proven = self.units.values().any(|slot| is_new(slot) && slot.ready_since.is_some());
        let is_tried = self.staying().any(|(_, slot)| is_new(slot));
        let mut tries = if is_proven || self.in_service() == 0 { usize::MAX } else { usize::from(!is_tried) };
        for (&unit, slot) in self.units.iter_mut().filter(|(_, slot)| slot.departure.is_none()) {
            if is_new(slot) || tries == 0 {
                continue;
            }
            match slot.state {
                UnitState::Down { .. } => *slot = Unit::new(Arc::clone(&target), slot.zone, now),
                UnitState::Loading { .. } => {
                    slot.state = UnitState::Dying { since: now };
                    slot.departure = Some(Departure::Replaced { zone: slot.zone });
                    actions.push(SupervisorAction::Kill { unit, why: "another version takes its place" });
                }
                _ => continue,
            }
            tries -= 1;
        }
    }

    fn shrink(&mut self, wanted: usize, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        // Abort a move if its unit did not load.
        if self.is_moving {
            let fallen =
                self.staying().find(|(_, slot)| matches!(slot.state, UnitState::Down { until } if until > now));
            let fallen = fallen.map(|(unit, _)| *unit).filter(|_| self.staying().count() > wanted);
            if let Some(unit) = fallen {
                self.remove(unit, room);
            }
            self.is_moving = self.staying().count() > wanted;
        }
        let has_guest = self.is_moving || self.candidate.is_some() || self.staying().any(|(_, slot)| slot.is_worn);
        let surge = usize::from(has_guest && wanted > 0);
        // A probe that left without a result would be due again at once, endlessly.
        let is_on_trial = self.is_moving && self.staying().any(|(_, slot)| room.zones.is_on_trial(slot.zone));
        let is_over = |roster: &Self| surge > 0 && !is_on_trial && roster.in_service() > wanted;
        while self.staying().count() > wanted + surge || is_over(self) {
            let is_pending_first = self.staying().count() > wanted + surge;
            let Some(victim) = self.victim(is_pending_first, room) else { break };
            self.depart(victim, false, room);
            let Some(slot) = self.units.get_mut(&victim) else { break };
            match slot.state {
                UnitState::Down { .. } => self.remove(victim, room),
                UnitState::Loading { .. } => {
                    slot.state = UnitState::Dying { since: now };
                    actions.push(SupervisorAction::Kill { unit: victim, why: "it is no longer wanted" });
                }
                _ => {}
            }
        }
        if self.staying().count() <= wanted {
            self.is_moving = false;
        }
    }

    /// The unit that leaves first: a worn one, one of another version, else the newest one in the fullest zone.
    fn victim(&self, is_pending_first: bool, room: &Room<'_>) -> Option<UnitId> {
        let target = self.target().id;
        let rank = |(unit, slot): &(&UnitId, &Unit)| {
            let is_pending = is_pending_first && !slot.is_in_service();
            (is_pending, slot.is_worn, slot.version.id != target, room.zones.units(slot.zone), **unit)
        };
        let candidates = self.staying().filter(|(_, slot)| is_pending_first || slot.is_in_service());
        candidates.max_by_key(rank).map(|(unit, _)| *unit)
    }

    /// Adds missing units, then takes one step of a rollout, a replacement or a move between zones.
    fn grow(&mut self, wanted: usize, room: &mut Room<'_>, now: Monotonic) {
        while self.staying().count() < wanted {
            if !self.add(room, None, now) {
                break;
            }
        }
        let is_steady = self.staying().count() <= wanted && self.staying().all(|(_, slot)| slot.is_in_service());
        if wanted == 0 || !is_steady {
            return;
        }
        let target = self.target().id;
        let is_outdated = |slot: &Unit| slot.version.id != target || slot.is_worn;
        if self.staying().any(|(_, slot)| is_outdated(slot)) {
            if room.units > 0 {
                self.add(room, None, now);
            } else if let Some(victim) = self.victim(false, room) {
                self.depart(victim, true, room);
            }
        } else if self.candidate.is_none() {
            self.balance(room, now);
        }
    }

    /// Moves a unit into a zone that is due for a probe, or that has too few units. A pool without units in the fuller
    /// zone moves none: its newest unit would leave again, endlessly.
    fn balance(&mut self, room: &mut Room<'_>, now: Monotonic) {
        let has_room = room.units > 0;
        if !has_room && self.staying().count() < 2 {
            // Do not risk the only unit for a probe that may fail.
            self.unprobed = room
                .zones
                .probe_due(now)
                .map(|zone| format!("zone {zone} is out and cannot be tried again: one unit runs, and {}", room.limit));
            return;
        }
        let own: Vec<ZoneIndex> = self.staying().map(|(_, slot)| slot.zone).collect();
        let Some(zone) = room.zones.place_to_balance(&own, has_room, now) else { return };
        if has_room {
            self.is_moving = self.add(room, Some(zone), now);
            return;
        }
        let rank = |(unit, slot): &(&UnitId, &Unit)| (room.zones.units(slot.zone), **unit);
        let victim = self.staying().filter(|(_, slot)| slot.zone != zone).max_by_key(rank).map(|(unit, _)| *unit);
        match victim.and_then(|unit| self.units.get_mut(&unit)) {
            Some(slot) => slot.departure = Some(Departure::Replaced { zone }),
            None => room.zones.leave(zone),
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
        self.units.insert(unit, Unit::new(self.target(), zone, now));
        true
    }

    /// Asks idle units that are leaving to exit. Idle -> Stopping
    fn stop_idle(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        for (&unit, slot) in &mut self.units {
            if slot.departure.is_some() && matches!(slot.state, UnitState::Idle) {
                slot.state = UnitState::Stopping { since: now };
                actions.push(SupervisorAction::Stop { unit });
            }
        }
    }

    /// Makes the new version current when all units run it.
    fn finish_rollout(&mut self, wanted: usize, actions: &mut Vec<SupervisorAction>) {
        let is_everywhere = |id| {
            !self.units.is_empty() && self.units.values().all(|slot| slot.version.id == id && slot.is_in_service())
        };
        if let Some(candidate) = self.candidate.take_if(|candidate| is_everywhere(candidate.id)) {
            actions.push(SupervisorAction::Swapped { package: Arc::clone(&candidate.package) });
            self.current = candidate;
        } else if wanted == 0 && self.candidate.take().is_some() {
            self.swap_failure = Some("the model was stopped meanwhile".into());
        }
    }
}
