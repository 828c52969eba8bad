//! Builds the daemon's parts and connects them.

use crate::appliance::box_plan::box_plan;
use crate::appliance::cache_sweep;
use crate::appliance::child_environment::{capture_environment, child_environment};
use crate::appliance::engine_chooser::EngineChooser;
use crate::appliance::engines::Engines;
use crate::appliance::importer;
use crate::appliance::inbox::{CHILD_QUEUE, Inbox, OWN_QUEUE};
use crate::appliance::live_orders::LiveOrders;
use crate::appliance::memory_probe;
use crate::appliance::meter::Meter;
use crate::appliance::package_loader::PackageLoader;
use crate::appliance::performer::Performer;
use crate::appliance::reload::Reloader;
use crate::appliance::reporter::Reporter;
use crate::appliance::requests::Requests;
use crate::appliance::scene_editor::scenes_of;
use crate::appliance::shell::Shell;
use crate::appliance::status_maker::StatusMaker;
use crate::appliance::stream_lines::StreamLines;
use crate::camera::capture_process::CaptureProcesses;
use crate::camera::passwords::CameraPasswords;
use crate::catalog::CatalogStore;
use crate::catalog::arn::Realm;
use crate::clips::{ClipRules, Clips};
use crate::control::images::ImageIntake;
use crate::control::{ApplianceStatus, Control, ControlQueues};
use crate::core::Core;
use crate::core::plan::BoxPlan;
use crate::ipc::child_process::{Spawner, own_binary};
use crate::kept::FileKeeper;
use crate::live::Relay;
use crate::metering::HoursFiles;
use crate::os::clock::monotonic_now;
use crate::os::confinement::Confinement;
use crate::settings::Settings;
use crate::supervisor::unit_process::UnitProcesses;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The programs of the child processes.
#[derive(Clone, Debug)]
pub struct ChildPrograms {
    /// The program of inference units.
    pub unit: PathBuf,
    /// The program of capture processes.
    pub capture: PathBuf,
}

impl Default for ChildPrograms {
    /// This binary. Only tests use others.
    fn default() -> Self {
        Self { unit: own_binary(), capture: own_binary() }
    }
}

/// The appliance, ready to run.
#[derive(Debug)]
pub struct Appliance {
    shell: Shell,
    reloader: Option<Reloader>,
    clips: Clips,
}

impl Appliance {
    /// Builds the parts and starts no child process yet. A model with an unusable package is FAILED; the others run.
    ///
    /// # Errors
    /// When a thread or the shared memory of images cannot be created.
    pub fn new(
        settings: Settings,
        passwords: BTreeMap<CameraId, CameraPasswords>,
        reporter: Reporter,
        programs: ChildPrograms,
    ) -> Result<(Self, Control, watch::Receiver<ApplianceStatus>), Box<dyn std::error::Error>> {
        let now = monotonic_now();
        let (mode, kernel) = (settings.sandbox.mode.name(), Confinement::of_this_kernel().in_words());
        tracing::info!(mode, kernel, "the sandbox of capture processes and units");
        let statuses = StatusMaker::new(format!("{mode}: {kernel}"));
        let spawner = Spawner::start()?;
        let reporter = reporter.with_refused_calls(spawner.refused_calls());
        let environment = child_environment(&settings.log.level, settings.sandbox.mode);
        let (engines, engine_orders) = Engines::load(&settings.state_directory);
        let plan = box_plan(&settings, &engines, reporter.boot_id().to_owned());
        let files = FileKeeper::start()?;
        let catalog = load_catalog(&settings, &plan, files.clone());
        let core = Core::new(plan, now);

        let (own, own_queue) = mpsc::channel(OWN_QUEUE);
        let (unit_sender, unit_queue) = mpsc::channel(CHILD_QUEUE);
        let (capture_sender, capture_queue) = mpsc::channel(CHILD_QUEUE);
        let chooser = EngineChooser {
            engines: engines.clone(),
            orders: engine_orders,
            program: programs.unit.clone(),
            files: files.clone(),
            state_directory: settings.state_directory.clone(),
            own: own.clone(),
        };
        tokio::spawn(chooser.run());
        let units = UnitProcesses::new(spawner.clone(), programs.unit, environment, unit_sender);
        let environment = capture_environment(&settings.log.level, &settings);
        let captures = CaptureProcesses::new(spawner, programs.capture, environment, capture_sender);
        let hours = HoursFiles::new(&settings.state_directory);
        let (status, watcher) = watch::channel(ApplianceStatus {
            box_id: settings.box_id.clone(),
            boot_id: reporter.boot_id().to_owned(),
            ..ApplianceStatus::default()
        });
        let (intake, image_region, images) = ImageIntake::new()?;
        let (live, watched) = Relay::new(settings.http.live_limits(), reporter.metrics());
        let leave_bytes = u64::from(settings.outbox.max_mib) << 20;
        let rules = ClipRules::new(&settings.clips, leave_bytes);
        let (clips, ordered_clips) =
            Clips::start(&rules, &settings.state_directory, reporter.metrics(), reporter.troubles_of_parts())?;
        let mut reporter = reporter.with_live(live.clone(), clips.clone());
        // The broker may retain one of a run before, with other settings.
        settings.blacked_out_cameras().iter().for_each(|camera| reporter.forget_snapshot(camera));
        let events = reporter.event_log();
        let (control, queues) =
            Control::new(watcher.clone(), hours.clone(), intake, catalog.clone(), events, live.clone());
        control.scenes.set(scenes_of(&settings));
        let mut live = LiveOrders::new(live, clips.clone());
        live.set_cameras(&settings);
        let ControlQueues { commands, imports, reloads, snapshots } = queues;
        let (change_sender, changes) = mpsc::channel(1);
        let (unit_pids, pids) = watch::channel(BTreeMap::new());
        let cache = settings.units.cache_directory.clone();
        if !cache.as_os_str().is_empty() {
            // A disk may hang: it holds up nothing else.
            tokio::task::spawn_blocking(move || cache_sweep::sweep(&cache, std::time::SystemTime::now()));
        }
        tokio::spawn(importer::run(settings.clone(), catalog.clone(), imports));
        tokio::spawn(memory_probe::run(pids, own.clone()));

        let settings = Arc::new(settings);
        let performer = Performer {
            units,
            captures,
            requests: Requests::default(),
            scenes: control.scenes.clone(),
            live,
            reporter,
            catalog,
            regions: BTreeMap::new(),
            pictures: BTreeMap::new(),
            image_region,
            cameras: settings.cameras.iter().map(|camera| (camera.id.clone(), camera.clone())).collect(),
            passwords: passwords.clone(),
            capture: settings.capture.clone(),
            loader: PackageLoader::new(Arc::clone(&settings), engines.clone(), own.clone()),
            files: files.clone(),
            state_directory: settings.state_directory.clone(),
            own,
        };
        let inbox = Inbox {
            units: unit_queue,
            captures: capture_queue,
            images,
            snapshots,
            watched,
            clips: ordered_clips,
            commands,
            changes,
            own: own_queue,
        };
        let meter = Meter::load(hours, files, now);
        let stream_lines = StreamLines::default();
        let shell = Shell { stream_lines, core, performer, inbox, meter, statuses, status, unit_pids };
        let reloader = Reloader::new(settings, engines, passwords, reloads, change_sender);
        Ok((Self { shell, reloader: Some(reloader), clips }, control, watcher))
    }

    /// Serves the requests to read the settings again. Returned once; without it such requests are refused.
    pub fn take_reloader(&mut self) -> Option<Reloader> {
        self.reloader.take()
    }

    /// The clips of events.
    pub fn clips(&self) -> Clips {
        self.clips.clone()
    }

    /// Runs until `shutdown` turns true, then drains. Returns the last status.
    pub async fn run(self, shutdown: watch::Receiver<bool>) -> ApplianceStatus {
        self.shell.run(shutdown).await
    }
}

/// Loads the projects and versions, including those of the settings.
fn load_catalog(settings: &Settings, plan: &BoxPlan, files: FileKeeper) -> CatalogStore {
    let (region, account) = (settings.rekognition.region.clone(), settings.rekognition.account_id.clone());
    let version = |loaded: &crate::core::loaded_package::LoadedPackage| loaded.package.version.clone();
    let configured: Vec<(String, String)> = plan
        .models
        .iter()
        .map(|model| (model.name.clone(), model.loaded.as_ref().map(version).unwrap_or_default()))
        .collect();
    let models_directory = &settings.units.models_directory;
    CatalogStore::load(&settings.state_directory, models_directory, Realm { region, account }, &configured, files)
}
