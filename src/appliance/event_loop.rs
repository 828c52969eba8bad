//! The one loop of the daemon: it waits, has the deciding parts decide, and carries out.

use crate::admission::{Controller, FrameWork};
use crate::appliance::child_environment::child_environment;
use crate::appliance::reporter::Reporter;
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::{CaptureAction, CaptureGroup};
use crate::camera::capture_process::{CaptureEvent, CaptureProcesses, camera_source};
use crate::camera::lent_slots::{GiveBack, LentSlots};
use crate::control::{ApplianceStatus, CameraView};
use crate::ipc::child_process::{ChildEvent, Spawner, own_binary};
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{CameraIndex, FromCapture, FromUnit, LoadModel, RegionId};
use crate::os::clock::monotonic_now;
use crate::os::pidfd::ExitStatus;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::supervisor::unit_process::{UnitEvent, UnitProcesses};
use crate::supervisor::{Answer, Supervisor, SupervisorAction};
use crate::vision::camera_id::CameraId;
use crate::vision::outcome::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Messages of all units, or of all capture processes, that wait for the loop. When it is full the
/// children wait in turn, and a capture process then finds no free slot and counts its frames as dropped.
const EVENT_QUEUE: usize = 256;

/// How often time alone is looked at: the finest limit is a unit's restart after 200 ms.
const TICK: Duration = Duration::from_millis(50);

/// How often the status is renewed.
const STATUS_PERIOD: Duration = Duration::from_millis(500);

/// How long units may finish what they do when the appliance stops. With what publishing takes on top
/// it stays below the ten seconds that a stop may last.
const DRAIN_LIMIT: Duration = Duration::from_secs(6);

/// The running appliance.
#[derive(Debug)]
pub struct Appliance {
    settings: Settings,
    passwords: BTreeMap<CameraId, Secret>,
    supervisor: Supervisor,
    units: UnitProcesses,
    unit_events: mpsc::Receiver<UnitEvent>,
    groups: Vec<CaptureGroup>,
    captures: CaptureProcesses,
    capture_events: mpsc::Receiver<CaptureEvent>,
    slots: LentSlots,
    frame_numbers: BTreeMap<CameraId, u64>,
    load_failure: Option<String>,
    reporter: Reporter,
    status: watch::Sender<ApplianceStatus>,
}

impl Appliance {
    /// Builds the parts; starts no child yet.
    ///
    /// # Errors
    /// When the thread that spawns children cannot be had.
    pub fn new(
        settings: Settings,
        passwords: BTreeMap<CameraId, Secret>,
        reporter: Reporter,
    ) -> std::io::Result<(Self, watch::Receiver<ApplianceStatus>)> {
        let now = monotonic_now();
        let spawner = Spawner::start()?;
        let environment = child_environment(&settings.log.level, settings.sandbox.mode);
        let unit_count = unit_count(settings.units.count);

        let mut controller = Controller::new(Duration::from_secs_f32(settings.units.max_frame_age_seconds));
        for camera in &settings.cameras {
            controller.add_camera(camera.id.clone(), camera.weight);
        }
        let load = Duration::from_secs_f32(settings.units.load_timeout_seconds);
        let inference = Duration::from_secs_f32(settings.units.inference_timeout_seconds);
        let mut supervisor = Supervisor::new(unit_count, controller, load, inference, now);
        for camera in &settings.cameras {
            supervisor.add_camera(camera.id.clone(), camera.weight);
        }

        let (unit_sender, unit_events) = mpsc::channel(EVENT_QUEUE);
        let model = load_model(&settings);
        let units =
            UnitProcesses::new(spawner.clone(), own_binary(), environment.clone(), model, unit_count, unit_sender);

        let stall = Duration::from_secs_f32(settings.capture.stall_seconds);
        let connect = Duration::from_secs_f32(settings.capture.connect_timeout_seconds);
        let per_process = usize::from(settings.capture.cameras_per_process.max(1));
        let groups: Vec<CaptureGroup> = settings
            .cameras
            .chunks(per_process)
            .map(|cameras| {
                let cameras = cameras.iter().map(|camera| Camera::new(camera.clone(), now)).collect();
                CaptureGroup::new(cameras, stall, connect, now)
            })
            .collect();
        let (capture_sender, capture_events) = mpsc::channel(EVENT_QUEUE);
        let captures = CaptureProcesses::new(spawner, own_binary(), environment, groups.len(), capture_sender);

        let (status, watcher) = watch::channel(ApplianceStatus::default());
        let appliance = Self {
            settings,
            passwords,
            supervisor,
            units,
            unit_events,
            groups,
            captures,
            capture_events,
            slots: LentSlots::default(),
            frame_numbers: BTreeMap::new(),
            load_failure: None,
            reporter,
            status,
        };
        Ok((appliance, watcher))
    }

    /// Runs until `shutdown` turns true, then drains. Returns the last status.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> ApplianceStatus {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut status_at = Instant::now();
        while !*shutdown.borrow() {
            tokio::select! {
                Some(event) = self.unit_events.recv() => self.unit_event(event),
                Some(event) = self.capture_events.recv() => self.capture_event(event),
                _ = tick.tick() => {
                    self.tick();
                    if Instant::now() >= status_at {
                        status_at = Instant::now() + STATUS_PERIOD;
                        self.renew_status();
                    }
                }
                changed = shutdown.changed() => if changed.is_err() { break },
            }
        }
        self.drain().await
    }

    /// Cameras first, so that nothing new comes; then what units still do; then what is to be published.
    async fn drain(mut self) -> ApplianceStatus {
        tracing::info!("stopping: no new frames are taken, units finish what they do");
        self.captures.stop_all();
        let actions = self.supervisor.drain();
        self.carry_out(actions);
        let deadline = Instant::now() + DRAIN_LIMIT;
        while self.supervisor.in_flight() > 0 && Instant::now() < deadline {
            tokio::select! {
                Some(event) = self.unit_events.recv() => self.unit_event(event),
                Some(event) = self.capture_events.recv() => self.capture_event(event),
                () = tokio::time::sleep(TICK) => {
                    let actions = self.supervisor.tick(monotonic_now());
                    self.carry_out(actions);
                }
            }
        }
        let actions = self.supervisor.abandon();
        self.carry_out(actions);
        self.units.stop_all();
        self.reporter.shut_down().await;
        let status = self.describe();
        self.status.send_replace(status.clone());
        tracing::info!(ledger_closes = status.ledger_closes(), "stopped");
        status
    }

    fn tick(&mut self) {
        let now = monotonic_now();
        let actions = self.supervisor.tick(now);
        self.carry_out(actions);
        for group in 0..self.groups.len() {
            for action in self.groups[group].tick(now) {
                self.capture_action(group, &action);
            }
        }
    }

    fn unit_event(&mut self, event: UnitEvent) {
        if !self.units.is_current(&event) {
            return;
        }
        let (unit, now) = (event.unit, monotonic_now());
        let actions = match event.event {
            ChildEvent::Message(FromUnit::Hello { pid }) => {
                tracing::debug!(unit, pid, "an inference unit has started");
                Vec::new()
            }
            ChildEvent::Message(FromUnit::Ready { load_ms, from_cache, execution_provider, runtime_version }) => {
                tracing::info!(unit, load_ms, from_cache, %execution_provider, runtime_version, "an inference unit is ready");
                self.load_failure = None;
                self.supervisor.unit_ready(unit, now)
            }
            ChildEvent::Message(FromUnit::LoadFailed { reason }) => {
                tracing::error!(unit, reason, "an inference unit cannot load its model");
                self.load_failure = Some(reason);
                Vec::new()
            }
            ChildEvent::Message(FromUnit::Detected { request, detections, timing, .. }) => {
                let answer = Answer { detections, timing, queued: Duration::ZERO };
                self.supervisor.unit_answered(unit, request, Ok(answer), now)
            }
            ChildEvent::Message(FromUnit::Failed { request, cause, detail }) => {
                tracing::warn!(unit, %cause, detail, "an inference failed");
                self.supervisor.unit_answered(unit, request, Err(cause), now)
            }
            ChildEvent::Message(FromUnit::Pong { .. }) => Vec::new(),
            ChildEvent::Ended { status, violation } => {
                tracing::warn!(unit, %status, violation, "an inference unit ended; it will be started again");
                self.units.ended(unit);
                self.reporter.unit_restarted();
                self.supervisor.unit_ended(unit, now)
            }
        };
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<SupervisorAction>) {
        for action in actions {
            match action {
                SupervisorAction::Start { unit } => {
                    let now = monotonic_now();
                    match self.units.start(unit) {
                        Ok(()) => self.supervisor.unit_started(unit, now),
                        Err(error) => {
                            tracing::error!(unit, %error, "an inference unit could not be started");
                            // There was no work on it, so no action follows.
                            drop(self.supervisor.unit_ended(unit, now));
                        }
                    }
                }
                SupervisorAction::Kill { unit, why } => {
                    tracing::warn!(unit, why, "an inference unit is killed");
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
                        tracing::warn!(unit, %error, "an inference unit cannot be given work");
                    }
                }
                SupervisorAction::Ended { work, outcome, answer } => self.frame_ended(&work, outcome, answer.as_ref()),
            }
        }
    }

    /// The slot goes back first: that is what the capture process may be waiting for.
    fn frame_ended(&mut self, work: &FrameWork, outcome: Outcome, answer: Option<&Answer>) {
        match self.slots.give_back(work.region, work.frame.slot) {
            GiveBack::Release { group, index } => self.captures.release(group, index, work.frame.slot),
            GiveBack::Retired => self.units.detach(work.region),
            GiveBack::Nothing => {}
        }
        self.reporter.frame_ended(work, outcome, answer, monotonic_now());
    }

    fn capture_event(&mut self, event: CaptureEvent) {
        if !self.captures.is_current(&event) {
            return;
        }
        let (group, now) = (event.group, monotonic_now());
        match event.event {
            ChildEvent::Message(message) => {
                self.groups[group].heard(now);
                self.capture_message(group, message);
            }
            ChildEvent::Ended { status, violation } => {
                match status {
                    ExitStatus::Code(0) => tracing::debug!(group, "a capture process stopped as it was told"),
                    _ => tracing::warn!(group, %status, violation, "a capture process ended; it will be started again"),
                }
                self.captures.ended(group);
                self.close_connections(group, None);
                self.groups[group].process_ended(&format!("the capture process ended: {status}"), now);
                self.reporter.capture_restarted();
            }
        }
    }

    fn capture_message(&mut self, group: usize, message: FromCapture) {
        let now = monotonic_now();
        let members = &mut self.groups[group];
        match message {
            FromCapture::Hello { pid } => tracing::debug!(group, pid, "a capture process has started"),
            FromCapture::Streaming { camera, info } => {
                let Some(position) = members.find(camera) else { return };
                let id = &members.camera(position).settings.id;
                tracing::info!(camera = %id, codec = info.codec, decoder = info.decoder, width = info.width, height = info.height, "a camera streams");
                members.streaming(position, info, now);
            }
            FromCapture::Progress { camera, decoded } => {
                let Some(position) = members.find(camera) else { return };
                members.progress(position, decoded, now);
            }
            FromCapture::Frame { camera, frame } => {
                let Some(position) = members.find(camera) else { return };
                members.frame_announced();
                let id = members.camera(position).settings.id.clone();
                let Some(region) = self.slots.of_connection(group, camera) else { return };
                if let Err(error) = self.slots.lend(region, frame.slot) {
                    tracing::error!(group, %error, "a capture process broke the protocol and is killed");
                    self.captures.kill(group);
                    return;
                }
                let number = self.next_number(&id);
                self.reporter.frame_captured(&id);
                let actions = self.supervisor.frame_captured(FrameWork { camera: id, number, frame, region }, now);
                self.carry_out(actions);
            }
            FromCapture::Dropped { camera, .. } => {
                let Some(position) = members.find(camera) else { return };
                let id = members.camera(position).settings.id.clone();
                self.next_number(&id);
                self.supervisor.frame_without_slot(&id);
                self.reporter.frame_without_slot(&id);
            }
            FromCapture::Lost { camera, kind, detail } => {
                let Some(position) = members.find(camera) else { return };
                let id = &members.camera(position).settings.id;
                tracing::warn!(camera = %id, ?kind, detail, "a camera is lost; it will be tried again");
                members.lost(position, kind, detail, now);
                self.close_connections(group, Some(camera));
            }
        }
    }

    fn capture_action(&mut self, group: usize, action: &CaptureAction) {
        let now = monotonic_now();
        match *action {
            CaptureAction::Start => match self.captures.start(group) {
                Ok(()) => self.groups[group].process_started(now),
                Err(error) => {
                    tracing::error!(group, %error, "a capture process could not be started");
                    self.groups[group].process_ended("the capture process could not be started", now);
                }
            },
            CaptureAction::Kill { why } => {
                tracing::warn!(group, why, "a capture process is killed");
                self.captures.kill(group);
            }
            CaptureAction::Open { camera, index } => self.open(group, camera, index),
            CaptureAction::Close { camera, index } => {
                let id = &self.groups[group].camera(camera).settings.id;
                tracing::warn!(camera = %id, "a camera has been silent for too long and is connected anew");
                self.captures.close(group, index);
                self.close_connections(group, Some(index));
            }
        }
    }

    fn open(&mut self, group: usize, camera: usize, index: CameraIndex) {
        let settings = &self.groups[group].camera(camera).settings;
        match Region::create("ocelli-frames", self.settings.capture.slots_per_camera) {
            Ok(region) => {
                let source = camera_source(settings, self.passwords.get(&settings.id), &self.settings.capture);
                self.captures.open(group, index, source, &region);
                self.slots.add(region, group, index);
            }
            Err(error) => {
                tracing::error!(camera = %settings.id, %error, "there is no shared memory for a camera");
                let detail = format!("no shared memory: {error}");
                self.groups[group].lost(camera, crate::ipc::messages::LossKind::Other, detail, monotonic_now());
            }
        }
    }

    fn close_connections(&mut self, group: usize, index: Option<CameraIndex>) {
        let retired: Vec<RegionId> = self.slots.close(group, index);
        for region in retired {
            self.units.detach(region);
        }
    }

    fn next_number(&mut self, camera: &CameraId) -> u64 {
        let number = self.frame_numbers.entry(camera.clone()).or_default();
        *number += 1;
        *number
    }

    fn renew_status(&mut self) {
        let status = self.describe();
        self.reporter.publish_status(&status);
        self.status.send_replace(status);
    }

    fn describe(&self) -> ApplianceStatus {
        let mut units = self.supervisor.status();
        let mut cameras = BTreeMap::new();
        for camera in self.groups.iter().flat_map(CaptureGroup::cameras) {
            let id = &camera.settings.id;
            let view = CameraView {
                state: camera.message(),
                ledger: units.ledgers.remove(id).unwrap_or_default(),
                decoded: camera.decoded(),
                reconnects: camera.reconnects(),
                seen: self.reporter.seen_now(id),
            };
            cameras.insert(id.clone(), view);
        }
        let mut degraded = Vec::new();
        if units.in_service < units.desired {
            let reason = self.load_failure.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            degraded.push(format!("{} of {} inference units in service{reason}", units.in_service, units.desired));
        }
        ApplianceStatus {
            cameras,
            model: self.settings.units.model.clone(),
            units_desired: units.desired,
            units_in_service: units.in_service,
            unit_restarts: units.restarts,
            capture_restarts: self.groups.iter().map(CaptureGroup::restarts).sum(),
            capacity_tps: units.capacity_tps,
            load_tps: units.load_tps,
            in_flight: units.in_flight,
            lent_slots: self.slots.lent(),
            labels_seen: self.reporter.labels_seen(),
            published: self.reporter.published(),
            broker_connected: self.reporter.broker_connected(),
            degraded,
            unit_pids: self.units.pids(),
            capture_pids: self.captures.pids(),
        }
    }
}

/// 0 means one unit a core.
fn unit_count(configured: u16) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => usize::from(count),
    }
}

/// What every unit is told to load.
pub fn load_model(settings: &Settings) -> LoadModel {
    let units = &settings.units;
    LoadModel {
        directory: units.models_directory.join(&units.model),
        execution_provider: units.execution_provider,
        intra_op_threads: units.threads,
        runtime_library: units.runtime_library.clone(),
        cache_directory: Some(units.cache_directory.clone()).filter(|directory| !directory.as_os_str().is_empty()),
    }
}
