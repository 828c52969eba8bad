//! The events of units (loaded, hung, grown, ended) and the periodic work of a pool.

use super::{Pool, Room};
use crate::admission::Work;
use crate::supervisor::actions::SupervisorAction;
use crate::supervisor::autoscaler::{EVALUATION_PERIOD, LoadSample};
use crate::supervisor::unit_state::{Readiness, UnitId};
use crate::vision::model_state::ModelState;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::time::Duration;

/// After this many failed loads in a row, with no unit in service, the model is FAILED.
const FAILED_AFTER: u32 = 3;

/// How long images wait while no unit is in service. A restart is usually faster.
const FAIL_FAST_AFTER: Duration = Duration::from_secs(1);

impl Pool {
    /// Does what is due by `now`: starts, deadlines, stale work, scaling. Returns killed units whose processes do not
    /// end; they are no longer part of the pool.
    pub fn tick(&mut self, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) -> Vec<UnitId> {
        let late = self.roster.kill_late(self.deadlines, now, actions);
        for unanswered in late {
            self.break_off(unanswered, FailureCause::UnitHung, now, actions);
        }
        let undead = self.roster.give_up_undead(self.wanted(), room, now, actions);
        // Sheds stale work too.
        self.dispatch(actions, now);
        if now.since(self.evaluated_at) >= EVALUATION_PERIOD {
            self.evaluate(room.units, now, actions);
        }
        self.reconcile(room, now, actions);
        self.fail_fast(now, actions);
        if !self.is_draining {
            self.roster.start_due(now, actions);
        }
        undead
    }

    /// Adds and retires units until they are as wanted.
    fn reconcile(&mut self, room: &mut Room<'_>, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        // While draining, units end with the daemon.
        if self.is_draining {
            return;
        }
        let wanted = self.wanted();
        if let Some(reason) = self.reason_to_refuse() {
            self.shed_all(reason, actions);
        }
        self.roster.reconcile(wanted, room, now, actions);
        self.renew_state(wanted);
    }

    fn renew_state(&mut self, wanted: usize) {
        let in_service = self.in_service();
        let is_failing = self.roster.failed_loads >= FAILED_AFTER;
        // No more units will start, so the model runs with those in service.
        let is_complete = self.roster.staying().all(|(_, slot)| slot.is_in_service());
        let is_short = is_failing || (self.roster.blocked.is_some() && is_complete);
        self.state = match self.state {
            ModelState::Starting if in_service > 0 && (in_service >= wanted || is_short) => ModelState::Running,
            ModelState::Starting if is_failing => ModelState::Failed,
            ModelState::Failed if in_service > 0 => ModelState::Running,
            ModelState::Stopping if self.roster.units.is_empty() => ModelState::Stopped,
            state => state,
        };
    }

    /// Sheds waiting images if no unit has been in service for a while. Frames become stale by themselves.
    fn fail_fast(&mut self, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        if self.in_service() > 0 {
            self.unserved_since = None;
            return;
        }
        if now.since(*self.unserved_since.get_or_insert(now)) >= FAIL_FAST_AFTER {
            for image in self.demand.gate.images.take_all() {
                self.end(actions, Work::Image(image), Outcome::Shed(ShedReason::NoUnits), None);
            }
        }
    }

    fn evaluate(&mut self, units_left: usize, now: Monotonic, actions: &mut Vec<SupervisorAction>) {
        let arrivals = std::mem::take(&mut self.demand.arrivals);
        let completed = std::mem::take(&mut self.throughput.completed);
        self.evaluated_at = now;
        let is_steady = !self.is_swapping() && self.is_wanted && !self.is_draining;
        let (ready, room) = (self.in_service(), self.roster.staying().count() + units_left);
        let sample = self.throughput.service_time.average().filter(|_| is_steady).map(|service_time| LoadSample {
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

    /// A unit has loaded its model.
    pub fn unit_ready(
        &mut self,
        unit: UnitId,
        ready: Readiness,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        self.throughput.expect(ready.run_time);
        if self.roster.ready(unit, ready, room, now) {
            self.dispatch(actions, now);
            self.reconcile(room, now, actions);
        }
    }

    /// A unit reported why it cannot load its model; its exit follows.
    pub fn unit_load_failed(&mut self, unit: UnitId, reason: String) {
        self.roster.load_failed(unit, reason);
    }

    /// The memory of a unit's process was measured. A unit that has grown too much is replaced.
    pub fn unit_measured(&mut self, unit: UnitId, bytes: u64) {
        self.roster.measured(unit, bytes);
    }

    /// A unit's process has ended, or could not be started.
    pub fn unit_ended(
        &mut self,
        unit: UnitId,
        room: &mut Room<'_>,
        now: Monotonic,
        actions: &mut Vec<SupervisorAction>,
    ) {
        let wanted = self.wanted();
        if let Some(unanswered) = self.roster.ended(unit, wanted, room, now, actions) {
            self.break_off(unanswered, FailureCause::UnitDied, now, actions);
        }
        self.dispatch(actions, now);
        self.reconcile(room, now, actions);
    }
}
