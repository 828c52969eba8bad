//! The one loop of the daemon: it waits, has the deciding parts decide, and carries out.

use crate::admission::ImageId;
use crate::appliance::camera_pace::PACE_PERIOD;
use crate::appliance::camera_switches::CameraSwitches;
use crate::appliance::child_environment::child_environment;
use crate::appliance::desired_state::DesiredState;
use crate::appliance::importer;
use crate::appliance::meter::Meter;
use crate::appliance::model_host;
use crate::appliance::reporter::Reporter;
use crate::appliance::scenes::Scenes;
use crate::appliance::snapshots::Snapshots;
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::CaptureGroup;
use crate::camera::capture_process::{CaptureEvent, CaptureProcesses};
use crate::camera::lent_slots::LentSlots;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Realm;
use crate::control::images::{ImageIntake, OfferedImage};
use crate::control::snapshots::AskedSnapshot;
use crate::control::{ApplianceStatus, Asked, CameraView, Control, ControlQueues};
use crate::ipc::child_process::{Spawner, own_binary};
use crate::ipc::frame_slots::Region;
use crate::metering::HoursFiles;
use crate::os::clock::monotonic_now;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::supervisor::Fleet;
use crate::supervisor::unit_process::{UnitEvent, UnitProcesses};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::path::PathBuf;
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

/// How often what has left the picture is looked for.
const SCENE_PERIOD: Duration = Duration::from_secs(1);

/// How often the memory of box and units is looked at.
const MEMORY_PERIOD: Duration = Duration::from_secs(2);

/// What is started as a child.
#[derive(Clone, Debug)]
pub struct ChildPrograms {
    /// An inference unit.
    pub unit: PathBuf,
    /// A capture process.
    pub capture: PathBuf,
}

impl Default for ChildPrograms {
    /// This binary; others only in tests.
    fn default() -> Self {
        Self { unit: own_binary(), capture: own_binary() }
    }
}

/// The running appliance.
#[derive(Debug)]
pub struct Appliance {
    pub(super) settings: Settings,
    pub(super) passwords: BTreeMap<CameraId, Secret>,
    pub(super) fleet: Fleet,
    pub(super) desired: DesiredState,
    pub(super) units: UnitProcesses,
    unit_events: mpsc::Receiver<UnitEvent>,
    pub(super) groups: Vec<CaptureGroup>,
    pub(super) captures: CaptureProcesses,
    capture_events: mpsc::Receiver<CaptureEvent>,
    commands: mpsc::Receiver<Asked>,
    image_offers: mpsc::Receiver<OfferedImage>,
    snapshots_asked: mpsc::Receiver<AskedSnapshot>,
    pub(super) snapshots: Snapshots,
    pub(super) image_region: Region,
    pub(super) images: BTreeMap<ImageId, OfferedImage>,
    pub(super) next_image: u64,
    /// Transactions of each model's images before the cameras were paced last.
    pub(super) images_before: BTreeMap<String, u64>,
    pub(super) slots: LentSlots,
    pub(super) frame_numbers: BTreeMap<CameraId, u64>,
    pub(super) scenes: Scenes,
    pub(super) switches: CameraSwitches,
    pub(super) reporter: Reporter,
    meter: Meter,
    pub(super) catalog: CatalogStore,
    status: watch::Sender<ApplianceStatus>,
}

impl Appliance {
    /// Builds the parts; starts no child yet.
    ///
    /// # Errors
    /// When a model's package is not in order, or the thread that spawns children cannot be had.
    pub fn new(
        settings: Settings,
        passwords: BTreeMap<CameraId, Secret>,
        reporter: Reporter,
        programs: ChildPrograms,
    ) -> Result<(Self, Control, watch::Receiver<ApplianceStatus>), Box<dyn std::error::Error>> {
        let now = monotonic_now();
        let spawner = Spawner::start()?;
        let environment = child_environment(&settings.log.level, settings.sandbox.mode);
        let desired = DesiredState::load(&settings.state_directory, &settings.models, model_host::core_count());
        let fleet = model_host::fleet(&settings, &desired, now)?;
        let (unit_sender, unit_events) = mpsc::channel(EVENT_QUEUE);
        let units = UnitProcesses::new(spawner.clone(), programs.unit, environment.clone(), unit_sender);
        let switches = CameraSwitches::load(&settings.state_directory);
        let groups = capture_groups(&settings, &switches);
        let (capture_sender, capture_events) = mpsc::channel(EVENT_QUEUE);
        let captures = CaptureProcesses::new(spawner, programs.capture, environment, groups.len(), capture_sender);
        let hours = HoursFiles::new(&settings.state_directory);
        let meter = Meter::load(hours.clone(), now);
        let (status, watcher) = watch::channel(ApplianceStatus::default());
        let (intake, image_region, image_offers) = ImageIntake::new()?;
        let catalog = load_catalog(&settings, &fleet);
        let (control, queues) = Control::new(watcher.clone(), hours, intake, catalog.clone(), reporter.event_log());
        let ControlQueues { commands, imports, snapshots: snapshots_asked } = queues;
        let snapshots = Snapshots::new(settings.snapshots.clone());
        tokio::spawn(importer::run(settings.clone(), catalog.clone(), imports));
        let scenes = Scenes::new(&settings.tracking, &settings.cameras);
        let appliance = Self {
            settings,
            passwords,
            fleet,
            desired,
            units,
            unit_events,
            groups,
            captures,
            capture_events,
            commands,
            image_offers,
            snapshots_asked,
            snapshots,
            image_region,
            images: BTreeMap::new(),
            next_image: 0,
            images_before: BTreeMap::new(),
            slots: LentSlots::default(),
            frame_numbers: BTreeMap::new(),
            scenes,
            switches,
            reporter,
            meter,
            catalog,
            status,
        };
        Ok((appliance, control, watcher))
    }

    /// Runs until `shutdown` turns true, then drains. Returns the last status.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> ApplianceStatus {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut status_at, mut memory_at, mut pace_at) = (Instant::now(), Instant::now(), Instant::now());
        let mut scenes_at = Instant::now();
        while !*shutdown.borrow() {
            tokio::select! {
                Some(event) = self.unit_events.recv() => self.unit_event(event),
                Some(event) = self.capture_events.recv() => self.capture_event(event),
                Some(offer) = self.image_offers.recv() => self.image_offered(offer),
                Some(asked) = self.snapshots_asked.recv() => self.snapshot_asked(asked),
                Some((command, answer)) = self.commands.recv() => {
                    let obeyed = self.obey(command);
                    // Whoever asks next sees what has begun.
                    self.renew_status();
                    // Who asked may have gone meanwhile; it is done all the same.
                    drop(answer.send(obeyed));
                }
                _ = tick.tick() => {
                    self.tick();
                    if Instant::now() >= memory_at {
                        memory_at = Instant::now() + MEMORY_PERIOD;
                        self.measure_memory();
                    }
                    if Instant::now() >= pace_at {
                        pace_at = Instant::now() + PACE_PERIOD;
                        self.pace_cameras();
                    }
                    if Instant::now() >= scenes_at {
                        scenes_at = Instant::now() + SCENE_PERIOD;
                        self.tick_scenes(monotonic_now());
                    }
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
        let actions = self.fleet.drain();
        self.carry_out(actions);
        let deadline = Instant::now() + DRAIN_LIMIT;
        while self.fleet.in_flight() > 0 && Instant::now() < deadline {
            tokio::select! {
                Some(event) = self.unit_events.recv() => self.unit_event(event),
                Some(event) = self.capture_events.recv() => self.capture_event(event),
                Some(offer) = self.image_offers.recv() => self.image_offered(offer),
                () = tokio::time::sleep(TICK) => {
                    let actions = self.fleet.tick(monotonic_now());
                    self.carry_out(actions);
                }
            }
        }
        let actions = self.fleet.abandon();
        self.carry_out(actions);
        self.meter.close(&self.fleet, monotonic_now()).await;
        self.units.stop_all();
        self.end_all_scenes(monotonic_now());
        self.reporter.shut_down().await;
        let status = self.describe();
        self.status.send_replace(status.clone());
        let images_detected: u64 = status.models.values().map(|model| model.images.detected).sum();
        tracing::info!(ledger_closes = status.ledger_closes(), images_detected, "stopped");
        status
    }

    fn tick(&mut self) {
        let now = monotonic_now();
        let actions = self.fleet.tick(now);
        self.carry_out(actions);
        for group in 0..self.groups.len() {
            for action in self.groups[group].tick(now) {
                self.capture_action(group, &action);
            }
        }
        self.tick_snapshots(now);
        self.end_lost_scenes(now);
    }

    fn renew_status(&mut self) {
        self.meter.look(&self.fleet, monotonic_now());
        let status = self.describe();
        self.keep_packages(&status.models);
        self.reporter.publish_status(&status);
        self.status.send_replace(status);
    }

    fn describe(&self) -> ApplianceStatus {
        let models = self.fleet.status();
        let mut cameras = BTreeMap::new();
        for camera in self.groups.iter().flat_map(CaptureGroup::cameras) {
            let id = &camera.settings.id;
            let ledger = models.values().find_map(|model| model.ledgers.get(id));
            let view = CameraView {
                state: camera.message(),
                ledger: ledger.cloned().unwrap_or_default(),
                decoded: camera.decoded(),
                reconnects: camera.reconnects(),
                seen: self.reporter.seen_now(id),
            };
            cameras.insert(id.clone(), view);
        }
        let mut degraded: Vec<String> = models.values().flat_map(|model| model.degraded.clone()).collect();
        degraded.extend(self.groups.iter().flat_map(CaptureGroup::cameras).filter_map(Camera::brown_out));
        degraded.extend(self.reporter.event_trouble());
        degraded.extend(self.fleet.zones_out().into_iter().map(|zone| format!("zone {zone} is out: its units failed")));
        ApplianceStatus {
            cameras,
            models,
            inference_hours: self.meter.totals(),
            capture_restarts: self.groups.iter().map(CaptureGroup::restarts).sum(),
            in_flight: self.fleet.in_flight(),
            lent_slots: self.slots.lent(),
            labels_seen: self.reporter.labels_seen(),
            published: self.reporter.published(),
            broker_connected: self.reporter.broker_connected(),
            degraded,
            unit_pids: self.units.pids().into_values().collect(),
            capture_pids: self.captures.pids(),
        }
    }
}

/// Projects and versions, those of the settings among them.
fn load_catalog(settings: &Settings, fleet: &Fleet) -> CatalogStore {
    let (region, account) = (settings.rekognition.region.clone(), settings.rekognition.account_id.clone());
    let configured: Vec<(String, String)> =
        fleet.status().into_iter().map(|(model, status)| (model, status.version)).collect();
    let models_directory = &settings.units.models_directory;
    CatalogStore::load(&settings.state_directory, models_directory, Realm { region, account }, &configured)
}

/// The cameras by the process that they share.
fn capture_groups(settings: &Settings, switches: &CameraSwitches) -> Vec<CaptureGroup> {
    let now = monotonic_now();
    let stall = Duration::from_secs_f32(settings.capture.stall_seconds);
    let connect = Duration::from_secs_f32(settings.capture.connect_timeout_seconds);
    let group = |cameras: &[crate::camera::settings::CameraSettings]| {
        let cameras = cameras.iter().map(|camera| Camera::new(switches.apply(camera), now)).collect();
        CaptureGroup::new(cameras, stall, connect, now)
    };
    settings.cameras.chunks(usize::from(settings.capture.cameras_per_process.max(1))).map(group).collect()
}
