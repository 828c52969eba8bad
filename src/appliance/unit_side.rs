//! The loop's part that deals with units: their events, the supervisor's actions, commands about models.

use crate::admission::{FrameWork, ImageId, ImageWork, Work};
use crate::appliance::event_loop::Appliance;
use crate::appliance::model_host;
use crate::camera::lent_slots::GiveBack;
use crate::catalog::Units;
use crate::control::images::{ImageReply, OfferedImage};
use crate::control::{Command, ControlError};
use crate::ipc::child_process::ChildEvent;
use crate::ipc::messages::{FromUnit, LoadModel, RegionId};
use crate::model::package::Package;
use crate::os::clock::monotonic_now;
use crate::os::memory;
use crate::os::pidfd::ExitStatus;
use crate::supervisor::unit_process::UnitEvent;
use crate::supervisor::unit_state::UnitId;
use crate::supervisor::{Answer, ModelState, ModelStatus, SupervisorAction};
use crate::vision::outcome::{FailureCause, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The region of all images; those of cameras count up from 0.
const IMAGE_REGION: RegionId = RegionId(u32::MAX);

/// The region of an image that has one to itself: counting down from below that of all images.
fn own_region(id: ImageId) -> RegionId {
    let count = u32::try_from(id.0 % (1 << 30)).unwrap_or(0);
    RegionId(IMAGE_REGION.0 - 1 - count)
}

/// What a unit found, and with which model.
type Found = (Answer, Arc<Package>);

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
            ChildEvent::Message(FromUnit::Ready {
                load_ms,
                from_cache,
                execution_provider,
                providers,
                runtime_version,
            }) => {
                let nodes = &providers;
                tracing::info!(%unit, load_ms, from_cache, %execution_provider, %nodes, runtime_version, "an inference unit is ready");
                self.fleet.unit_ready(unit, providers, now)
            }
            ChildEvent::Message(FromUnit::LoadFailed { reason }) => {
                tracing::error!(%unit, reason, "an inference unit cannot load its model");
                self.fleet.unit_load_failed(unit, reason);
                Vec::new()
            }
            ChildEvent::Message(FromUnit::Detected { request, detections, timing, size }) => {
                let answer = Answer { detections, timing, queued: Duration::ZERO, size };
                self.fleet.unit_answered(unit, request, Ok(answer), now)
            }
            ChildEvent::Message(FromUnit::Failed { request, cause, detail }) => {
                // Whoever sends bad pictures does not fill the log.
                match cause.is_of_the_image() {
                    true => tracing::debug!(%unit, %cause, detail, "an image was refused"),
                    false => tracing::warn!(%unit, %cause, detail, "an inference failed"),
                }
                self.fleet.unit_answered(unit, request, Err(cause), now)
            }
            // Units of the appliance are asked for neither.
            ChildEvent::Message(FromUnit::Pong { .. } | FromUnit::Inspected(_)) => Vec::new(),
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
                    let region = match &work {
                        Work::Frame(frame) => self.slots.region(frame.region),
                        Work::Image(image) if image.region == IMAGE_REGION => Some(&self.image_region),
                        Work::Image(image) => self.images.get(&image.id).and_then(|offer| offer.slot.own_region()),
                    };
                    let Some(region) = region else {
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
                SupervisorAction::ImageEnded { work, outcome, answer, retry_after } => {
                    if let Some(found) = &answer {
                        self.reporter.image_answered(&work, found, monotonic_now());
                    }
                    self.image_ended(work.id, outcome, answer, retry_after);
                }
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

    /// What needs the frame where it lies comes first. Then the slot goes back: that is what the capture process may be
    /// waiting for.
    fn frame_ended(&mut self, work: &FrameWork, outcome: Outcome, answer: Option<&Found>) {
        let now = monotonic_now();
        let observed = answer.map(|(answer, package)| {
            self.snapshot_for_waiting(work, answer, now);
            self.scene_observed(work, answer, package, now)
        });
        match self.slots.give_back(work.region, work.frame.slot) {
            GiveBack::Release { group, index } => self.captures.release(group, index, work.frame.slot),
            GiveBack::Retired => self.units.detach(work.region),
            GiveBack::Nothing => {}
        }
        self.reporter.frame_ended(work, outcome, answer.zip(observed.as_ref()), now);
    }

    /// An image came from outside.
    pub(super) fn image_offered(&mut self, offer: OfferedImage) {
        let (id, now) = (ImageId(self.next_image), monotonic_now());
        self.next_image += 1;
        let work = ImageWork {
            id,
            region: if offer.slot.own_region().is_some() { own_region(id) } else { IMAGE_REGION },
            slot: offer.slot.number(),
            bytes: offer.slot.bytes(),
            arrived_at: offer.arrived_at,
            deadline: offer.deadline,
            options: offer.options,
            attempts: 0,
            failed_in: None,
        };
        let offered = self.fleet.image_offered(&offer.model, work, now);
        self.images.insert(id, offer);
        match offered {
            Ok(actions) => self.carry_out(actions),
            Err(_) => self.answer_image(id, ImageReply::NoModel),
        }
    }

    fn image_ended(&mut self, id: ImageId, outcome: Outcome, answer: Option<Found>, retry_after: Duration) {
        let reply = match (outcome, answer) {
            (Outcome::Shed(reason), _) => ImageReply::Shed(reason, retry_after),
            (Outcome::Failed(cause), _) => ImageReply::Failed(cause),
            (Outcome::Detected, Some((answer, package))) => ImageReply::Detected(answer, package),
            // A detected image has an answer.
            (Outcome::Detected, None) => ImageReply::Failed(FailureCause::InvalidOutput),
        };
        self.answer_image(id, reply);
    }

    /// The slot is free with this: no unit reads it any more.
    fn answer_image(&mut self, id: ImageId, reply: ImageReply) {
        if let Some(offer) = self.images.remove(&id) {
            if offer.slot.own_region().is_some() {
                self.units.detach(own_region(id));
            }
            drop(offer.slot);
            // Whoever asked may have gone.
            drop(offer.reply.send(reply));
        }
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
        let now = monotonic_now();
        match command {
            Command::StartModel { model, bounds } => {
                self.fleet.start(&model, bounds)?;
                self.keep_brought_in(&model);
                self.desired.change(&model, |desired| {
                    desired.is_running = true;
                    bounds.inspect(|bounds| desired.set_bounds(*bounds));
                });
            }
            Command::StopModel { model } => {
                self.fleet.stop(&model)?;
                self.keep_brought_in(&model);
                self.desired.change(&model, |desired| desired.is_running = false);
            }
            Command::ScaleModel { model, bounds } => {
                self.fleet.scale(&model, bounds)?;
                self.keep_brought_in(&model);
                self.desired.change(&model, |desired| desired.set_bounds(bounds));
            }
            // Kept when its units are in service: see `keep_packages`.
            Command::SwapModel { model, package } => {
                let version = model_host::version(&mut self.fleet, &self.settings, &model, &package)?;
                self.fleet.swap(&model, version)?;
            }
            Command::RunPackage { model, directory, bounds } => {
                if !self.fleet.has_model(&model) {
                    let pool = model_host::brought_in(&mut self.fleet, &self.settings, &model, directory, now)?;
                    self.fleet.add_model(pool);
                }
                self.fleet.start(&model, Some(bounds))?;
            }
            Command::SwitchCamera { camera, enabled } => self.switch_camera(&camera, enabled)?,
            Command::RemoveModel { model } => self.fleet.remove_model(&model)?,
        }
        Ok(())
    }

    /// Keeps what becomes of a model that no settings name.
    fn keep_brought_in(&self, model: &str) {
        let status = self.fleet.status();
        if let Some(status) = status.get(model).filter(|_| self.desired.of(model).is_none()) {
            let units = Units { min: status.min_units, max: status.max_units };
            let is_wanted = !matches!(status.state, ModelState::Stopping | ModelState::Stopped);
            self.catalog.model_changed(model, units, is_wanted);
        }
    }

    /// Keeps the package of each model whose new version is in service.
    pub(super) fn keep_packages(&mut self, models: &BTreeMap<String, ModelStatus>) {
        for (name, status) in models.iter().filter(|(_, status)| status.next_version.is_none()) {
            if self.desired.of(name).is_some_and(|desired| desired.package != status.package) {
                self.desired.change(name, |desired| desired.package.clone_from(&status.package));
                self.catalog.configure(name, &status.version);
            }
        }
    }
}
