//! Performs the core's effects in the simulated world, and checks that each of them is allowed.

use crate::control::images::ImageReply;
use crate::core::event::{MadePicture, PackageSource, SnapshotTicket};
use crate::core::simulation::box_of::{UNIT_BYTES, package};
use crate::core::simulation::children::{Connection, Order, SimUnit, UnitFault};
use crate::core::simulation::world::{MS, Next, World};
use crate::core::{Effect, Event, Report};
use crate::ipc::messages::{LossKind, RegionId};
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;
use crate::vision::outcome::Outcome;
use crate::vision::picture_source::PictureSource;
use std::sync::Arc;
use std::time::Duration;

/// The reasons of kills that are not caused by faults: these units load a version that is no longer wanted.
const PLANNED_KILLS: [&str; 3] =
    ["it is no longer wanted", "its version was not taken", "another version takes its place"];

/// Milliseconds of an inference of the package `good-slow`: above the shortest deadline. Each takes half to twice of it,
/// so it is shorter where `inference_timeout_seconds` asks for it.
const SLOW_MS: u64 = 2_500;

/// The position of a camera among all.
fn nth(camera: &CameraId) -> usize {
    camera.as_str().trim_start_matches("camera-").parse().unwrap()
}

impl World {
    /// Performs an effect. Returns an event if it fails at once.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::StartUnit { unit, load, .. } => {
                return self.start_unit(unit, &load.directory.display().to_string(), &load.cores);
            }
            Effect::StopUnit { unit } => self.stop_unit(unit),
            Effect::KillUnit { unit, why } => self.kill_unit(unit, why),
            Effect::Dispatch { unit, items } => {
                let running = self.units.get_mut(&unit).filter(|running| !running.is_killed)?;
                let longest = Duration::from_secs_f32(self.settings.inference_timeout_seconds);
                let slow = SLOW_MS.min(u64::try_from(longest.as_millis()).unwrap() * 2 / 5);
                let service = if &*running.package == "good-slow" { slow } else { self.settings.service_ms };
                if !running.is_ready || running.is_stopping || !running.work.is_empty() {
                    self.fail(format!("{unit} is given work and is not free"));
                    return None;
                }
                let (generation, mut after) = (running.generation, 0);
                running.work.clone_from(&items);
                for (request, _) in &items {
                    after += self.dice.between(service * MS / 2, service * MS * 2);
                    self.plan(after, Next::UnitAnswers(unit, generation, *request));
                }
            }
            Effect::ForgetRegion(region) => {
                let reads = |running: &SimUnit| {
                    !running.is_killed && running.work.iter().any(|(_, work)| work.region() == region)
                };
                if self.units.values().any(reads) {
                    self.fail(format!("{region:?} is forgotten while a unit reads it"));
                }
            }
            Effect::StartCapture { group, .. } => return self.start_capture(group),
            Effect::StopCapture { group } => self.stop_capture(group),
            Effect::KillCapture { group, why } => self.kill_capture(group, why),
            Effect::OpenCamera { group, camera, index, region, slots } => {
                if self.trouble.shared_memory > self.now {
                    return Some(Event::CameraNotOpened {
                        group,
                        index,
                        kind: LossKind::Other,
                        detail: "no memory".into(),
                    });
                }
                self.books.regions.insert((group, index), region);
                self.order(group, Order::Open(index, nth(&camera), region, slots));
            }
            Effect::OpenMain { group, camera, index } => {
                let is_analysed = |connection: &Connection| connection.camera == nth(&camera) && !connection.is_main;
                let capture = &self.captures[group];
                if !capture.is_hung && !capture.is_killed && !capture.connections.values().any(is_analysed) {
                    self.note(|| format!("the main stream of {camera} is opened after the analysed one was lost"));
                }
                self.order(group, Order::OpenMain(index, nth(&camera)));
            }
            Effect::CloseCamera { group, index, silent } => {
                if silent.is_some() && !self.may_be_silent(group, index) {
                    self.fail(format!("a healthy connection is closed: {silent:?}"));
                }
                self.order(group, Order::Close(index));
            }
            Effect::ReleaseSlot { group, index, slot } => {
                let region = self.captures[group].connections.get(&index).map(|connection| connection.region);
                if region.is_some_and(|region| self.is_read(region, slot)) {
                    self.fail(format!("slot {slot} is released while a unit reads it"));
                }
                self.order(group, Order::Release(index, slot));
            }
            Effect::PaceCamera { group, index, fps, .. } => self.order(group, Order::Pace(index, fps)),
            Effect::TellSight { .. } => {}
            Effect::TakeSnapshot { group, order } => {
                if !self.captures[group].is_hung && !self.captures[group].is_killed {
                    let source = match order.main {
                        Some(_) => PictureSource::Main { offset_ms: 0 },
                        None => PictureSource::Frame,
                    };
                    let made = Ok(MadePicture { jpeg: vec![1_u8; 10].into(), source });
                    self.plan_result(20 * MS, Event::SnapshotMade { group, id: order.id, made, wall_ms: None });
                }
            }
            Effect::ForgetSnapshot(_) | Effect::KeepVersion { .. } | Effect::KeepConfigured { .. } => {}
            Effect::LoadPackage { ticket, model, source } => {
                let name = match source {
                    PackageSource::Named(name) => name,
                    PackageSource::Directory(directory) => directory.display().to_string(),
                };
                let result = match name.starts_with("missing") {
                    true => Err("there is no such package".to_owned()),
                    false => Ok(Box::new(package(&model, &name))),
                };
                let after = self.disk_time();
                self.plan_result(after, Event::PackageLoaded { ticket, result });
            }
            Effect::KeepModels { models, ticket } => {
                self.books.kept = Some(models);
                self.keep(ticket);
            }
            Effect::KeepCameras { ticket, .. } => self.keep(ticket),
            Effect::AnswerCommand { ticket, result } => {
                self.note(|| format!("{ticket:?} is answered {result:?}"));
                if self.books.commands.remove(&ticket).is_none() {
                    self.fail(format!("{ticket:?} is answered twice"));
                }
            }
            Effect::AnswerImage { image, reply } => {
                self.books.images_detected += u64::from(matches!(reply, ImageReply::Detected(..)));
                if self.books.images.remove(&image).is_none() {
                    self.fail(format!("{image:?} is answered twice"));
                }
            }
            Effect::AnswerSnapshot { ticket: SnapshotTicket(ticket), .. } => {
                if self.books.snapshots.remove(&SnapshotTicket(ticket)).is_none() {
                    self.fail(format!("the request for a snapshot {ticket} is answered twice"));
                }
            }
            Effect::Report(report) => self.report(report),
        }
        None
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::FrameCaptured(camera) => {
                let place = self.books.announced.pop_front();
                if place.is_none_or(|place| !self.books.frames.insert(place)) {
                    self.fail(format!("a frame of {camera} is accepted from a slot that is lent: {place:?}"));
                }
            }
            Report::FrameEnded { work, outcome, result } => {
                let place = (work.region, work.frame.slot);
                if !self.books.frames.remove(&place) {
                    self.fail(format!("frame {} of {} ends twice, or never began", work.number, work.camera));
                }
                let seen_with = self.books.seen_with.remove(&place);
                if let Some(result) = result {
                    self.books.frames_detected += 1;
                    let (reported, seen_with) = (&result.package.version, seen_with.unwrap_or_default());
                    if **reported != *seen_with {
                        self.fail(format!("a result of `{seen_with}` is reported as one of `{reported}`"));
                    }
                } else if outcome == Outcome::Detected {
                    self.fail("a detected frame has no result");
                }
            }
            Report::Scaled { model, from, to, reason } => {
                self.note(|| format!("{model} is scaled from {from} to {to} units: {reason:?}"));
            }
            _ => {}
        }
    }

    fn is_read(&self, region: RegionId, slot: u16) -> bool {
        let reads = |running: &SimUnit| {
            !running.is_killed && running.work.iter().any(|(_, work)| (work.region(), work.slot()) == (region, slot))
        };
        self.units.values().any(reads)
    }

    fn start_unit(&mut self, unit: UnitId, package: &str, cores: &[u16]) -> Option<Event> {
        if self.units.get(&unit).is_some_and(|running| !running.is_killed) {
            self.fail(format!("{unit} is started and runs already"));
        }
        if self.trouble.processes > self.now {
            return Some(Event::UnitEnded { unit });
        }
        self.generations += 1;
        let (generation, zone) = (self.generations, cores.first().copied().unwrap_or(0));
        let is_broken = self.trouble.zones[usize::from(zone)] > self.now;
        let (package, bytes): (Arc<str>, u64) = (package.into(), UNIT_BYTES);
        let is_bad = package.starts_with("bad");
        let cannot_load = is_bad || is_broken || package.starts_with("hang");
        // A load that hangs in a driver cannot even be killed.
        let fault = (package.starts_with("hang") && self.dice.index(2) == 0).then_some(UnitFault::Undead);
        let after = self.dice.between(200, 1_500) * MS;
        if is_bad || is_broken {
            self.plan(after, Next::UnitFails(unit, generation));
        } else if !cannot_load {
            self.plan(after, Next::UnitReady(unit, generation));
        }
        self.note(|| format!("{unit} starts with {package} in zone {zone}"));
        let running = SimUnit {
            generation,
            package,
            is_ready: false,
            is_killed: false,
            is_stopping: false,
            fault,
            cannot_load,
            work: Vec::new(),
            bytes,
        };
        self.units.insert(unit, running);
        None
    }

    fn stop_unit(&mut self, unit: UnitId) {
        self.note(|| format!("{unit} is asked to exit"));
        let Some(running) = self.units.get_mut(&unit) else { return };
        running.is_stopping = true;
        let (generation, is_free) = (running.generation, running.work.is_empty());
        let listens = !matches!(running.fault, Some(UnitFault::Hangs | UnitFault::Undead));
        if !is_free {
            self.fail(format!("{unit} is asked to exit while it works"));
        } else if listens {
            self.plan(10 * MS, Next::UnitExits(unit, generation));
        }
    }

    fn kill_unit(&mut self, unit: UnitId, why: &'static str) {
        self.note(|| format!("{unit} is killed: {why}"));
        let Some(running) = self.units.get_mut(&unit) else { return };
        let is_planned = PLANNED_KILLS.contains(&why);
        let is_healthy = running.fault.is_none() && !running.cannot_load;
        running.is_killed = true;
        let (generation, is_undead) = (running.generation, running.fault == Some(UnitFault::Undead));
        let after = if is_undead { 45_000 } else { self.dice.between(1, 50) };
        self.plan(after * MS, Next::UnitExits(unit, generation));
        if is_healthy && !is_planned {
            self.fail(format!("{unit} is healthy and is killed: {why}"));
        }
    }

    fn start_capture(&mut self, group: usize) -> Option<Event> {
        // Cameras whose shared process has died get new groups.
        let groups = self.captures.len().max(group + 1);
        self.captures.resize_with(groups, Default::default);
        if self.captures[group].is_alive && !self.captures[group].is_killed {
            self.fail(format!("capture process {group} is started and runs already"));
        }
        if self.trouble.processes > self.now {
            return Some(Event::CaptureEnded { group, detail: "no process".into() });
        }
        self.generations += 1;
        let generation = self.generations;
        self.captures[group] = super::children::SimCapture { generation, is_alive: true, ..Default::default() };
        // A first start scans all plugins.
        let after = if self.generations < 20 { self.dice.between(500, 90_000) } else { self.dice.between(50, 900) };
        self.plan(after * MS, Next::CaptureStarts(group, generation));
        None
    }

    fn stop_capture(&mut self, group: usize) {
        self.note(|| format!("capture process {group} is asked to exit"));
        let capture = &self.captures[group];
        if !capture.connections.is_empty() && !capture.is_hung {
            return self.fail(format!("capture process {group} has cameras and is asked to exit"));
        }
        if !capture.is_hung && !capture.is_undead {
            self.plan(10 * MS, Next::CaptureExits(group, capture.generation));
        }
    }

    fn kill_capture(&mut self, group: usize, why: &'static str) {
        self.note(|| format!("capture process {group} is killed: {why}"));
        let capture = &mut self.captures[group];
        let is_faulty = capture.is_hung || capture.has_lied || capture.cannot_start || capture.is_undead;
        capture.is_killed = true;
        let (generation, is_undead) = (capture.generation, capture.is_undead);
        let after = if is_undead { 45_000 } else { self.dice.between(1, 50) };
        self.plan(after * MS, Next::CaptureExits(group, generation));
        if !is_faulty {
            self.fail(format!("capture process {group} is healthy and is killed: {why}"));
        }
    }

    fn order(&mut self, group: usize, order: Order) {
        let capture = &mut self.captures[group];
        if !capture.is_alive || capture.is_killed {
            return;
        }
        match capture.is_hung {
            true => capture.unread.push_back(order),
            false => self.obey(group, order),
        }
    }
}
