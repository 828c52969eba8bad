//! The core, which connects its parts.

mod change;
mod rest;
mod status;

use crate::admission::brown_out::PACE_PERIOD;
use crate::admission::{FrameWork, ImageWork};
use crate::camera::camera_state::Camera;
use crate::control::images::ImageReply;
use crate::control::snapshots::{SnapshotFreshness, SnapshotRefusal, SnapshotReply};
use crate::control::{Accepted, Command, ControlError};
use crate::core::cameras::{Cameras, Captured};
use crate::core::effect::Effect;
use crate::core::event::{CommandTicket, Event, SnapshotTicket};
use crate::core::keeping::Keeping;
use crate::core::plan::BoxPlan;
use crate::core::report::{FrameResult, Report};
use crate::core::scenes::Scenes;
use crate::core::snapshots::Snapshots;
use crate::core::units::{CommandResult, Progress, Units};
use crate::ipc::messages::{CameraIndex, Sight};
use crate::model::package::Package;
use crate::supervisor::zones::Zones;
use crate::supervisor::{Answer, Fleet, SupervisorAction};
use crate::tracking::settings::TrackingSettings;
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use std::sync::Arc;
use std::time::Duration;

/// How often objects that left the picture are ended.
const SCENE_PERIOD: Duration = Duration::from_secs(1);

/// Decides for the whole box.
#[derive(Debug)]
pub struct Core {
    units: Units,
    cameras: Cameras,
    scenes: Scenes,
    snapshots: Snapshots,
    keeping: Keeping,
    tracking: TrackingSettings,
    is_draining: bool,
    pace_at: Monotonic,
    scenes_at: Monotonic,
}

impl Core {
    /// A box that starts its units and connects its cameras at the first tick.
    pub fn new(plan: BoxPlan, now: Monotonic) -> Self {
        let names = plan.zones.iter().map(|zone| zone.name.clone()).collect();
        let fleet = Fleet::new(plan.zones, Zones::new(names, plan.zone_probe), plan.limits);
        let terms = plan.terms;
        let (capture, tracking, snapshots) = (terms.capture.clone(), terms.tracking.clone(), terms.snapshots.clone());
        let mut units = Units::new(fleet, plan.models, plan.desired, terms, plan.limits.units, now);
        for camera in &plan.cameras {
            // A camera that had no model before has no frame that waits for one.
            let actions = units.place_camera(camera);
            debug_assert!(actions.is_empty(), "nothing waits in a new box");
        }
        Self {
            units,
            cameras: Cameras::new(&plan.cameras, &capture, plan.switches, now),
            scenes: Scenes::new(&tracking, &plan.cameras, plan.boot_id),
            tracking,
            snapshots: Snapshots::new(snapshots),
            keeping: Keeping::default(),
            is_draining: false,
            pace_at: now,
            scenes_at: now,
        }
    }

    /// Handles an event and returns the effects, to be performed in their order.
    pub fn apply(&mut self, event: Event, now: Monotonic) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Unit { unit, message } => {
                let actions = self.units.message(unit, message, now);
                self.follow(actions, now, out);
            }
            Event::UnitEnded { unit } => {
                let actions = self.units.ended(unit, now);
                self.follow(actions, now, out);
            }
            Event::Capture { group, message } => match self.cameras.message(group, message, now, out) {
                Some(Captured::Frame(work)) => self.frame_captured(work, now, out),
                Some(Captured::WithoutSlot(camera)) => self.frame_kept_back(camera, ShedReason::NoFreeSlot, out),
                Some(Captured::Counts(camera, tampered)) => self.scenes.tampered(&camera, tampered),
                Some(Captured::Still(camera, at)) => {
                    self.scenes.still(&camera, at);
                    self.frame_kept_back(camera, ShedReason::Still, out);
                }
                None => {}
            },
            Event::CaptureEnded { group, detail } => {
                self.cameras.process_ended(group, &detail, now, out);
                self.snapshots.process_ended(group, now, out);
            }
            Event::UndeadCaptureEnded { group } => self.cameras.undead_ended(group),
            Event::CameraNotOpened { group, index, kind, detail } => {
                self.cameras.not_opened(group, index, (kind, detail), now, out);
            }
            Event::Image { model, work } => self.image_offered(&model, work, now, out),
            Event::SnapshotRequested { ticket, camera, freshness } => {
                self.snapshot_requested(ticket, camera, freshness, now, out);
            }
            Event::SnapshotMade { group, id, made, wall_ms } => {
                self.snapshots.made(group, id, made, wall_ms, now, out);
            }
            Event::Command { ticket, command } => self.command(ticket, command, now, out),
            Event::Changed { ticket, change } => self.change(ticket, *change, now, out),
            Event::PackageLoaded { ticket, result } => {
                let result = result.map(|loaded| *loaded);
                if let Some((ticket, result)) = self.units.package_loaded(ticket, result, now, out) {
                    self.reply_or_wait(ticket, result, now, out);
                }
            }
            Event::EngineChosen { model, source, digest } => self.units.engine_chosen(model, source, digest),
            Event::Kept { tickets, result } => self.keeping.kept(&tickets, result, out),
            Event::Memory { available_bytes, units } => self.units.memory(available_bytes, &units),
            Event::Paused(gap) => {
                self.units.paused(gap);
                self.cameras.paused(gap);
                self.snapshots.paused(gap);
                self.keeping.paused(gap);
            }
            Event::Drain => self.drain(now, out),
            Event::Abandon => {
                let actions = self.units.abandon(now);
                self.follow(actions, now, out);
                self.scenes.lose_all(now, out);
            }
            Event::Tick => self.tick(now, out),
        }
        effects
    }

    fn tick(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        let actions = self.units.tick(now, out);
        self.follow(actions, now, out);
        if self.is_draining {
            return;
        }
        for group in self.cameras.tick(now, out) {
            self.snapshots.process_ended(group, now, out);
        }
        let cameras = &self.cameras;
        self.snapshots.tick(|id| cameras.find(id.as_str()).map(describe).unwrap_or_default(), now, out);
        for camera in self.cameras.all().filter(|camera| !camera.is_streaming()) {
            self.scenes.lose(&camera.settings.id, now, out);
        }
        self.keeping.tick(now, out);
        if now >= self.scenes_at {
            self.scenes_at = now + SCENE_PERIOD;
            self.scenes.tick(now, out);
        }
        if now >= self.pace_at {
            self.pace_at = now + PACE_PERIOD;
            for (model, capacity_tps) in self.units.frame_capacities(PACE_PERIOD) {
                let is_its = |camera: &CameraId| self.units.model_of(camera) == Some(&model);
                self.cameras.pace(is_its, capacity_tps, out);
            }
        }
    }

    fn drain(&mut self, now: Monotonic, out: &mut Vec<Effect>) {
        self.is_draining = true;
        let actions = self.units.drain();
        self.follow(actions, now, out);
    }

    /// Turns the fleet's actions into effects.
    fn follow(&mut self, actions: Vec<SupervisorAction>, now: Monotonic, out: &mut Vec<Effect>) {
        for action in actions {
            match action {
                SupervisorAction::Start { unit, model, load } => out.push(Effect::StartUnit { unit, model, load }),
                SupervisorAction::Stop { unit } => out.push(Effect::StopUnit { unit }),
                SupervisorAction::Kill { unit, why } => out.push(Effect::KillUnit { unit, why }),
                SupervisorAction::Dispatch { unit, items } => out.push(Effect::Dispatch { unit, items }),
                SupervisorAction::Ended { work, outcome, answer } => self.frame_ended(work, outcome, answer, now, out),
                SupervisorAction::ImageEnded { work, outcome, answer, retry_after } => {
                    let reply = match (outcome, answer) {
                        (Outcome::Detected, Some((answer, package))) => ImageReply::Detected(answer, package),
                        // A detected image has an answer.
                        (Outcome::Detected, None) => ImageReply::Failed(FailureCause::InvalidOutput),
                        (Outcome::Shed(reason), _) => ImageReply::Shed(reason, retry_after),
                        (Outcome::Failed(cause), _) => ImageReply::Failed(cause),
                    };
                    out.push(Effect::AnswerImage { image: work.id, reply });
                }
                SupervisorAction::Swapped { package } => {
                    self.units.keep_package(&package, None, out);
                }
                SupervisorAction::Scaled { model, from, to, reason } => {
                    out.push(Effect::Report(Report::Scaled { model, from, to, reason }));
                }
            }
        }
    }

    fn frame_captured(&mut self, work: FrameWork, now: Monotonic, out: &mut Vec<Effect>) {
        out.push(Effect::Report(Report::FrameCaptured(work.camera.clone())));
        let actions = self.units.frame_captured(work, now);
        self.follow(actions, now, out);
    }

    fn frame_kept_back(&mut self, camera: CameraId, reason: ShedReason, out: &mut Vec<Effect>) {
        self.units.frame_kept_back(&camera, reason);
        out.push(Effect::Report(Report::FrameKeptBack(camera, reason)));
    }

    /// A frame has its outcome. Snapshots are ordered before its slot is released: they need the frame in its slot.
    fn frame_ended(
        &mut self,
        work: FrameWork,
        outcome: Outcome,
        answer: Option<(Answer, Arc<Package>)>,
        now: Monotonic,
        out: &mut Vec<Effect>,
    ) {
        let (region, slot) = (work.region, work.frame.slot);
        let result = answer.map(|(answer, package)| {
            let connection = self.cameras.connection_of(region);
            let connection = connection.and_then(|(group, index)| self.cameras.frame_connection(group, index));
            let boxes = || answer.detections.iter().filter_map(|found| found.bounding_box).collect();
            self.snapshots.frame_seen(&work, connection.as_ref(), boxes, now, out);
            let (tracked, best) = self.scenes.observe(&work.camera, &answer, &package, &work.frame, out);
            let (captured_at, moves) = (work.frame.captured_at, tracked.moves);
            self.cameras.tell_sight(&work.camera, region, Sight { captured_at, boxes: boxes(), moves }, out);
            if let Some(event) = best {
                let kept = answer.all().zip(&tracked.kept).filter(|(_, kept)| **kept);
                let boxes = kept.filter_map(|(found, _)| found.bounding_box).collect();
                self.snapshots.event_seen(&work, connection.as_ref(), boxes, event, now, out);
            }
            Box::new(FrameResult { answer, package, tracked })
        });
        self.cameras.give_back(region, slot, out);
        out.push(Effect::Report(Report::FrameEnded { work, outcome, result }));
    }

    fn image_offered(&mut self, model: &str, work: ImageWork, now: Monotonic, out: &mut Vec<Effect>) {
        let image = work.id;
        match self.units.image_offered(model, work, now) {
            Some(actions) => self.follow(actions, now, out),
            None => out.push(Effect::AnswerImage { image, reply: ImageReply::NoModel }),
        }
    }

    fn command(&mut self, ticket: CommandTicket, command: Command, now: Monotonic, out: &mut Vec<Effect>) {
        let result = match command {
            Command::SwitchCamera { camera, enabled } => {
                match self.cameras.switch(&camera, enabled, ticket, now, out) {
                    true => Ok(Progress::Keeping),
                    false => Err(ControlError::NoSuchCamera(camera)),
                }
            }
            command => self.units.command(ticket, command, now, out),
        };
        self.reply_or_wait(ticket, result, now, out);
    }

    /// Replies to a command, or waits until the disk holds its change or its package was read.
    fn reply_or_wait(&mut self, ticket: CommandTicket, result: CommandResult, now: Monotonic, out: &mut Vec<Effect>) {
        match result {
            Ok(Progress::Done) => out.push(Effect::AnswerCommand { ticket, result: Ok(Accepted::default()) }),
            Ok(Progress::Keeping) => self.keeping.wait(ticket, now),
            Ok(Progress::Reading) => {}
            Err(error) => out.push(Effect::AnswerCommand { ticket, result: Err(error) }),
        }
    }

    fn snapshot_requested(
        &mut self,
        ticket: SnapshotTicket,
        camera: String,
        freshness: SnapshotFreshness,
        now: Monotonic,
        out: &mut Vec<Effect>,
    ) {
        let Some(found) = self.cameras.find(&camera) else {
            let known: Vec<&str> = self.cameras.all().map(|camera| camera.settings.id.as_str()).collect();
            let refusal = SnapshotRefusal::NoSuchCamera { camera, known: known.join(", ") };
            return out.push(Effect::AnswerSnapshot { ticket, reply: SnapshotReply::Refused(refusal) });
        };
        let is_coming = matches!(found.status(), CameraStatus::Streaming | CameraStatus::Connecting);
        let refusal = (!is_coming).then(|| SnapshotRefusal::NotStreaming { camera, state: describe(found) });
        let id = found.settings.id.clone();
        self.snapshots.request(&id, freshness, ticket, refusal, now, out);
    }

    /// The camera of an open connection, and whether it is that of its main stream, for the log.
    pub fn camera_of(&self, group: usize, index: CameraIndex) -> Option<(&CameraId, bool)> {
        self.cameras.of_connection(group, index)
    }

    /// The number of frames and images that wait or are being processed.
    pub fn in_flight(&self) -> u64 {
        self.units.in_flight()
    }

    /// Units in service by package, for the meter of inference hours.
    pub fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        self.units.metered()
    }
}

/// A camera's status and the reason for it, as a text for the operator.
fn describe(camera: &Camera) -> String {
    let reason = camera.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{reason}", camera.status().name())
}
