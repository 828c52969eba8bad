//! The loop's part that deals with units: their events, the supervisor's actions, commands about models.

use crate::admission::FrameWork;
use crate::appliance::event_loop::Appliance;
use crate::appliance::model_host;
use crate::camera::lent_slots::GiveBack;
use crate::control::{Command, ControlError};
use crate::ipc::child_process::ChildEvent;
use crate::ipc::messages::{FromUnit, LoadModel};
use crate::model::package::Package;
use crate::os::clock::monotonic_now;
use crate::os::memory;
use crate::os::pidfd::ExitStatus;
use crate::supervisor::unit_process::UnitEvent;
use crate::supervisor::unit_state::UnitId;
use crate::supervisor::{Answer, ModelStatus, SupervisorAction};
use crate::vision::outcome::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl Appliance {
    pub(super) fn unit_event(&mut self, event: UnitEvent) {
        if !self.units.is_current(&event) {
            return;
        }
        let (unit, now) = (event.unit, monotonic_now());
        let actions = match event.event {
            ChildEvent::Message(FromUnit::Hello { pid }) => {
                tracing::debug!(%unit, pid, "an inference unit has started");
                Vec::new()
            }
            ChildEvent::Message(FromUnit::Ready { load_ms, from_cache, execution_provider, runtime_version }) => {
                tracing::info!(%unit, load_ms, from_cache, %execution_provider, runtime_version, "an inference unit is ready");
                self.fleet.unit_ready(unit, now)
            }
            ChildEvent::Message(FromUnit::LoadFailed { reason }) => {
                tracing::error!(%unit, reason, "an inference unit cannot load its model");
                self.fleet.unit_load_failed(unit, reason);
                Vec::new()
            }
            ChildEvent::Message(FromUnit::Detected { request, detections, timing, .. }) => {
                let answer = Answer { detections, timing, queued: Duration::ZERO };
                self.fleet.unit_answered(unit, request, Ok(answer), now)
            }
            ChildEvent::Message(FromUnit::Failed { request, cause, detail }) => {
                tracing::warn!(%unit, %cause, detail, "an inference failed");
                self.fleet.unit_answered(unit, request, Err(cause), now)
            }
            ChildEvent::Message(FromUnit::Pong { .. }) => Vec::new(),
            ChildEvent::Ended { status, violation } => {
                match status {
                    ExitStatus::Code(0) => tracing::info!(%unit, "an inference unit stopped as it was told"),
                    _ => tracing::warn!(%unit, %status, violation, "an inference unit ended"),
                }
                self.units.ended(unit);
                self.fleet.unit_ended(unit, now)
            }
        };
        self.carry_out(actions);
    }

    pub(super) fn carry_out(&mut self, actions: Vec<SupervisorAction>) {
        for action in actions {
            match action {
                SupervisorAction::Start { unit, load } => self.start_unit(unit, *load),
                SupervisorAction::Stop { unit } => self.units.stop(unit),
                SupervisorAction::Kill { unit, why } => {
                    tracing::warn!(%unit, why, "an inference unit is killed");
                    self.units.kill(unit);
                }
                SupervisorAction::Dispatch { unit, request, work } => {
                    let Some(region) = self.slots.region(work.region) else {
                        debug_assert!(false, "a region lives while one of its frames is in flight");
                        self.units.kill(unit);
                        continue;
                    };
                    // On an error the unit is dead or will be: its end is an event, and the frame fails then.
                    if let Err(error) = self.units.dispatch(unit, request, &work, region) {
                        tracing::warn!(%unit, %error, "an inference unit cannot be given work");
                    }
                }
                SupervisorAction::Ended { work, outcome, answer } => self.frame_ended(&work, outcome, answer.as_ref()),
                SupervisorAction::Scaled { model, from, to, reason } => {
                    tracing::info!(model, from, to, ?reason, "the number of inference units changes");
                }
            }
        }
    }

    fn start_unit(&mut self, unit: UnitId, load: LoadModel) {
        let now = monotonic_now();
        match self.units.start(unit, load) {
            Ok(()) => self.fleet.unit_started(unit, now),
            Err(error) => {
                tracing::error!(%unit, %error, "an inference unit could not be started");
                let actions = self.fleet.unit_ended(unit, now);
                self.carry_out(actions);
            }
        }
    }

    /// The slot goes back first: that is what the capture process may be waiting for.
    fn frame_ended(&mut self, work: &FrameWork, outcome: Outcome, answer: Option<&(Answer, Arc<Package>)>) {
        match self.slots.give_back(work.region, work.frame.slot) {
            GiveBack::Release { group, index } => self.captures.release(group, index, work.frame.slot),
            GiveBack::Retired => self.units.detach(work.region),
            GiveBack::Nothing => {}
        }
        self.reporter.frame_ended(work, outcome, answer, monotonic_now());
    }

    /// Tells the fleet what memory there is, and how large its units are.
    pub(super) fn measure_memory(&mut self) {
        let sizes: Vec<(UnitId, u64)> = self
            .units
            .pids()
            .into_iter()
            .filter_map(|(unit, pid)| Some((unit, memory::anonymous_bytes(pid)?)))
            .collect();
        self.fleet.memory(memory::available_bytes(), sizes.iter().map(|(_, bytes)| *bytes).max());
        for (unit, bytes) in sizes {
            self.fleet.unit_measured(unit, bytes);
        }
    }

    /// Does what was asked for, or says why not.
    pub(super) fn obey(&mut self, command: Command) -> Result<(), ControlError> {
        tracing::info!(?command, "a command");
        match command {
            Command::StartModel { model, bounds } => {
                self.fleet.start(&model, bounds)?;
                self.desired.change(&model, |desired| {
                    desired.is_running = true;
                    bounds.inspect(|bounds| desired.set_bounds(*bounds));
                });
            }
            Command::StopModel { model } => {
                self.fleet.stop(&model)?;
                self.desired.change(&model, |desired| desired.is_running = false);
            }
            Command::ScaleModel { model, bounds } => {
                self.fleet.scale(&model, bounds)?;
                self.desired.change(&model, |desired| desired.set_bounds(bounds));
            }
            // Kept when its units are in service: see `keep_packages`.
            Command::SwapModel { model, package } => {
                let version = model_host::version(&mut self.fleet, &self.settings, &model, &package)?;
                self.fleet.swap(&model, version)?;
            }
        }
        Ok(())
    }

    /// Keeps the package of each model whose new version is in service.
    pub(super) fn keep_packages(&mut self, models: &BTreeMap<String, ModelStatus>) {
        for (name, status) in models.iter().filter(|(_, status)| status.next_version.is_none()) {
            if self.desired.of(name).is_some_and(|desired| desired.package != status.package) {
                self.desired.change(name, |desired| desired.package.clone_from(&status.package));
            }
        }
    }
}
