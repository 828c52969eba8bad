//! The decisions about units and frames: who works on what, who is hung, who is started again.
//!
//! Every method takes `now` and returns what is to be done; nothing here waits or does I/O.

use crate::admission::{Controller, FrameWork, Ledger};
use crate::ipc::messages::{RequestId, UnitTiming};
use crate::supervisor::unit_state::{ServiceTime, Unit, UnitState};
use crate::vision::camera_id::CameraId;
use crate::vision::detection::Detection;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What a unit found, and where the time went.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Inside the unit.
    pub timing: UnitTiming,
    /// From capture to the unit; filled in by the supervisor.
    pub queued: Duration,
}

/// What the shell is to do.
#[derive(Debug, PartialEq)]
pub enum SupervisorAction {
    /// Start a unit's process and tell it to load the model.
    Start {
        /// Which.
        unit: usize,
    },
    /// End a unit's process at once.
    Kill {
        /// Which.
        unit: usize,
        /// For the log.
        why: &'static str,
    },
    /// Hand work to a unit.
    Dispatch {
        /// Which.
        unit: usize,
        /// Named in the answer.
        request: RequestId,
        /// What to look at.
        work: FrameWork,
    },
    /// A frame has its outcome: give its slot back and tell the world.
    Ended {
        /// Which frame.
        work: FrameWork,
        /// How it ended.
        outcome: Outcome,
        /// There if it was detected.
        answer: Option<Answer>,
    },
}

/// How the units are doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupervisorStatus {
    /// Units there should be.
    pub desired: usize,
    /// Units that can be given work.
    pub in_service: usize,
    /// Processes started again since the daemon started.
    pub restarts: u64,
    /// What the units in service can do, from measured service time.
    pub capacity_tps: f64,
    /// What they did over the last ten seconds.
    pub load_tps: f64,
    /// Frames that wait or are worked on.
    pub in_flight: u64,
    /// By camera.
    pub ledgers: BTreeMap<CameraId, Ledger>,
}

/// How far back the load is counted.
const LOAD_WINDOW: Duration = Duration::from_secs(10);

/// The units of one model and the frames that want them.
#[derive(Debug)]
pub struct Supervisor {
    units: Vec<Unit>,
    controller: Controller,
    ledgers: BTreeMap<CameraId, Ledger>,
    next_request: u64,
    load_timeout: Duration,
    longest_inference: Duration,
    service_time: ServiceTime,
    recent_answers: VecDeque<Monotonic>,
    restarts: u64,
    draining: bool,
}

impl Supervisor {
    /// `units` units, none of them started yet: the first [`Self::tick`] does that.
    pub fn new(units: usize, controller: Controller, load: Duration, inference: Duration, now: Monotonic) -> Self {
        Self {
            units: (0..units).map(|_| Unit::new(now)).collect(),
            controller,
            ledgers: BTreeMap::new(),
            next_request: 0,
            load_timeout: load,
            longest_inference: inference,
            service_time: ServiceTime::default(),
            recent_answers: VecDeque::new(),
            restarts: 0,
            draining: false,
        }
    }

    /// Gives a camera its place and its ledger.
    pub fn add_camera(&mut self, camera: CameraId, weight: u32) {
        self.ledgers.entry(camera.clone()).or_default();
        self.controller.add_camera(camera, weight);
    }

    /// A capture process announced a frame.
    pub fn frame_captured(&mut self, work: FrameWork, now: Monotonic) -> Vec<SupervisorAction> {
        self.ledgers.entry(work.camera.clone()).or_default().count_captured();
        let mut actions = Vec::new();
        if self.draining {
            self.end(&mut actions, work, Outcome::Shed(ShedReason::Draining), None);
            return actions;
        }
        if let Some(older) = self.controller.offer(work) {
            self.end(&mut actions, older, Outcome::Shed(ShedReason::Superseded), None);
        }
        self.dispatch(&mut actions, now);
        actions
    }

    /// A frame was due and its capture process had no slot for it.
    pub fn frame_without_slot(&mut self, camera: &CameraId) {
        let ledger = self.ledgers.entry(camera.clone()).or_default();
        ledger.count_captured();
        ledger.count(Outcome::Shed(ShedReason::NoFreeSlot));
    }

    /// A unit's process was started. Down -> Loading
    pub fn unit_started(&mut self, unit: usize, now: Monotonic) {
        self.units[unit].state = UnitState::Loading { since: now };
    }

    /// A unit has loaded its model. Loading -> Idle
    pub fn unit_ready(&mut self, unit: usize, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let slot = &mut self.units[unit];
        if matches!(slot.state, UnitState::Loading { .. }) {
            slot.state = UnitState::Idle;
            slot.ready_since = Some(now);
            slot.items_done = 0;
            self.dispatch(&mut actions, now);
        }
        actions
    }

    /// A unit answered. Busy -> Idle, or Dying when it names a request that it was not given.
    pub fn unit_answered(
        &mut self,
        unit: usize,
        request: RequestId,
        result: Result<Answer, FailureCause>,
        now: Monotonic,
    ) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let slot = &mut self.units[unit];
        match std::mem::replace(&mut slot.state, UnitState::Idle) {
            UnitState::Busy { request: asked, work, since } if asked == request => {
                slot.items_done += 1;
                match result {
                    Ok(mut answer) => {
                        self.service_time.record(now.since(since));
                        self.recent_answers.push_back(now);
                        answer.queued = since.since(work.frame.captured_at);
                        self.end(&mut actions, work, Outcome::Detected, Some(answer));
                    }
                    Err(cause) => self.end(&mut actions, work, Outcome::Failed(cause), None),
                }
            }
            // Its death has been ordered; what it still says does not count.
            UnitState::Dying => slot.state = UnitState::Dying,
            other => {
                slot.state = UnitState::Dying;
                actions.push(SupervisorAction::Kill { unit, why: "it answered a request that it was not given" });
                if let UnitState::Busy { work, .. } = other {
                    self.end(&mut actions, work, Outcome::Failed(FailureCause::UnitDied), None);
                }
            }
        }
        self.dispatch(&mut actions, now);
        actions
    }

    /// A unit's process is gone, or could not be started. Any -> Down
    pub fn unit_ended(&mut self, unit: usize, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let slot = &mut self.units[unit];
        let until = slot.restart_policy.died(slot.ready_since.take(), slot.items_done, now);
        let before = std::mem::replace(&mut slot.state, UnitState::Down { until });
        self.restarts += 1;
        if let UnitState::Busy { work, .. } = before {
            self.end(&mut actions, work, Outcome::Failed(FailureCause::UnitDied), None);
        }
        actions
    }

    /// What time alone brings: starts, deadlines, frames that are too old.
    pub fn tick(&mut self, now: Monotonic) -> Vec<SupervisorAction> {
        let mut actions = Vec::new();
        let deadline = self.service_time.deadline(self.longest_inference);
        for unit in 0..self.units.len() {
            let slot = &mut self.units[unit];
            match &slot.state {
                UnitState::Down { until } if now >= *until && !self.draining => {
                    actions.push(SupervisorAction::Start { unit });
                }
                // Loading -> Dying
                UnitState::Loading { since } if now.since(*since) > self.load_timeout => {
                    slot.state = UnitState::Dying;
                    actions.push(SupervisorAction::Kill { unit, why: "it did not load its model in time" });
                }
                // Busy -> Dying
                UnitState::Busy { since, .. } if now.since(*since) > deadline => {
                    let before = std::mem::replace(&mut slot.state, UnitState::Dying);
                    actions.push(SupervisorAction::Kill { unit, why: "it did not answer in time" });
                    if let UnitState::Busy { work, .. } = before {
                        self.end(&mut actions, work, Outcome::Failed(FailureCause::UnitHung), None);
                    }
                }
                _ => {}
            }
        }
        for work in self.controller.take_stale(now) {
            self.end(&mut actions, work, Outcome::Shed(ShedReason::Stale), None);
        }
        while self.recent_answers.front().is_some_and(|at| now.since(*at) > LOAD_WINDOW) {
            self.recent_answers.pop_front();
        }
        actions
    }

    /// Takes no more work; what units do is still finished.
    pub fn drain(&mut self) -> Vec<SupervisorAction> {
        self.draining = true;
        let mut actions = Vec::new();
        for work in self.controller.take_all() {
            self.end(&mut actions, work, Outcome::Shed(ShedReason::Draining), None);
        }
        actions
    }

    /// Ends what units still do when the time to drain is over.
    pub fn abandon(&mut self) -> Vec<SupervisorAction> {
        let mut actions = self.drain();
        for unit in 0..self.units.len() {
            if !matches!(self.units[unit].state, UnitState::Busy { .. }) {
                continue;
            }
            // Busy -> Dying
            if let UnitState::Busy { work, .. } = std::mem::replace(&mut self.units[unit].state, UnitState::Dying) {
                self.end(&mut actions, work, Outcome::Failed(FailureCause::UnitHung), None);
            }
        }
        actions
    }

    /// Frames that wait or are worked on.
    pub fn in_flight(&self) -> u64 {
        let busy = self.units.iter().filter(|unit| matches!(unit.state, UnitState::Busy { .. })).count();
        (busy + self.controller.waiting()) as u64
    }

    /// How the units are doing.
    pub fn status(&self) -> SupervisorStatus {
        let in_service = self.units.iter().filter(|unit| unit.is_in_service()).count();
        let per_unit = self.service_time.average().map_or(0.0, |time| 1.0 / time.as_secs_f64().max(1e-6));
        SupervisorStatus {
            desired: self.units.len(),
            in_service,
            restarts: self.restarts,
            capacity_tps: per_unit * in_service as f64,
            load_tps: self.recent_answers.len() as f64 / LOAD_WINDOW.as_secs_f64(),
            in_flight: self.in_flight(),
            ledgers: self.ledgers.clone(),
        }
    }

    fn dispatch(&mut self, actions: &mut Vec<SupervisorAction>, now: Monotonic) {
        for work in self.controller.take_stale(now) {
            self.end(actions, work, Outcome::Shed(ShedReason::Stale), None);
        }
        for unit in 0..self.units.len() {
            if !matches!(self.units[unit].state, UnitState::Idle) {
                continue;
            }
            let Some(work) = self.controller.take_next() else { return };
            let request = RequestId(self.next_request);
            self.next_request += 1;
            // Idle -> Busy
            self.units[unit].state = UnitState::Busy { request, work: work.clone(), since: now };
            actions.push(SupervisorAction::Dispatch { unit, request, work });
        }
    }

    /// The only place where a frame gets its outcome.
    fn end(&mut self, actions: &mut Vec<SupervisorAction>, work: FrameWork, outcome: Outcome, answer: Option<Answer>) {
        self.ledgers.entry(work.camera.clone()).or_default().count(outcome);
        actions.push(SupervisorAction::Ended { work, outcome, answer });
    }
}

#[cfg(test)]
mod tests;
