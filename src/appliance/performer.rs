//! Performs the effects of the core: processes, shared memory, files, replies and messages.

use crate::admission::Work;
use crate::appliance::child_environment::{capture_environment, child_environment};
use crate::appliance::inbox::IMAGE_REGION;
use crate::appliance::live_orders::LiveOrders;
use crate::appliance::package_loader::PackageLoader;
use crate::appliance::reload::ChangeRequest;
use crate::appliance::reporter::Reporter;
use crate::appliance::requests::Requests;
use crate::appliance::scene_editor::scenes_of;
use crate::camera::capture_process::{CaptureProcesses, camera_source, main_source};
use crate::camera::passwords::CameraPasswords;
use crate::camera::settings::{CameraSettings, CaptureSettings};
use crate::catalog::CatalogStore;
use crate::control::images::ImageReply;
use crate::control::scenes::ScenesInForce;
use crate::core::effect::SilentStream;
use crate::core::event::{CommandTicket, KeptFile, MadePicture};
use crate::core::{Effect, Event};
use crate::ipc::camera_source::CameraSource;
use crate::ipc::frame_slots::Region;
use crate::ipc::messages::{LoadModel, LossKind, RegionId, RequestId};
use crate::ipc::snapshot_messages::{MAX_SNAPSHOT_BYTES, SnapshotAnswer, SnapshotId, SnapshotMade, SnapshotOrder};
use crate::kept::{FileKeeper, OnRefusal};
use crate::os::clock::{is_wall_clock_synchronized, monotonic_now, wall_now_ms};
use crate::supervisor::unit_process::UnitProcesses;
use crate::supervisor::unit_state::UnitId;
use crate::vision::camera_id::CameraId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Performs effects, and owns what they need.
#[derive(Debug)]
pub(super) struct Performer {
    pub(super) units: UnitProcesses,
    pub(super) captures: CaptureProcesses,
    pub(super) requests: Requests,
    /// What clients are shown of the cameras' scenes.
    pub(super) scenes: ScenesInForce,
    pub(super) live: LiveOrders,
    pub(super) reporter: Reporter,
    pub(super) catalog: CatalogStore,
    /// The memory of frames, by region.
    pub(super) regions: BTreeMap<RegionId, Region>,
    /// The memory of pictures that are being made, by order.
    pub(super) pictures: BTreeMap<SnapshotId, Region>,
    pub(super) image_region: Region,
    pub(super) cameras: BTreeMap<CameraId, CameraSettings>,
    pub(super) passwords: BTreeMap<CameraId, CameraPasswords>,
    pub(super) capture: CaptureSettings,
    pub(super) loader: PackageLoader,
    pub(super) files: FileKeeper,
    pub(super) state_directory: PathBuf,
    /// Takes results of background work.
    pub(super) own: mpsc::Sender<Event>,
}

impl Performer {
    /// Performs an effect. Returns an event if it fails at once.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::StartUnit { unit, model, load } => return self.start_unit(unit, &model, *load),
            Effect::StopUnit { unit } => self.units.stop(unit),
            Effect::KillUnit { unit, why } => {
                tracing::warn!(%unit, why, "an inference unit is killed");
                self.units.kill(unit);
            }
            Effect::Dispatch { unit, items } => self.dispatch(unit, &items),
            Effect::ForgetRegion(region) => {
                self.units.detach(region);
                self.regions.remove(&region);
            }
            Effect::StartCapture { group, cameras } => {
                if let Err(error) = self.captures.start(group, &cameras) {
                    tracing::error!(group, %error, "a capture process could not be started");
                    let detail = format!("the capture process could not be started: {error}");
                    return Some(Event::CaptureEnded { group, detail });
                }
            }
            Effect::StopCapture { group } => self.captures.stop(group),
            Effect::KillCapture { group, why } => {
                tracing::warn!(group, why, "a capture process is killed");
                self.captures.kill(group);
            }
            Effect::OpenCamera { group, camera, index, region, slots } => {
                if let Err((kind, detail)) = self.open(group, &camera, index, region, slots) {
                    return Some(Event::CameraNotOpened { group, index, kind, detail });
                }
                self.live.opened(camera, group, index, &self.captures);
            }
            Effect::OpenMain { group, camera, index } => {
                if let Some(main) = self.cameras.get(&camera).and_then(CameraSettings::main) {
                    let password = self.passwords.get(&camera).and_then(|passwords| passwords.main.as_ref());
                    self.captures.open_main(group, index, main_source(&main, password, &self.capture));
                }
            }
            Effect::CloseCamera { group, index, silent } => {
                if let Some(SilentStream { camera, is_main }) = silent {
                    let stream = if is_main { "main" } else { "analysed" };
                    tracing::warn!(%camera, stream, "a camera has been silent for too long; reconnecting");
                }
                self.captures.close(group, index);
            }
            Effect::ReleaseSlot { group, index, slot } => self.captures.release(group, index, slot),
            Effect::PaceCamera { group, index, fps, wanted } => self.captures.pace(group, index, fps, wanted),
            Effect::TellSight { group, index, sight } => self.captures.seen(group, index, sight),
            Effect::TakeSnapshot { group, order } => return self.take_snapshot(group, *order),
            Effect::ForgetSnapshot(id) => drop(self.pictures.remove(&id)),
            Effect::LoadPackage { ticket, model, source } => self.loader.load(ticket, model, source),
            Effect::KeepModels { models, ticket } => return self.keep(KeptFile::Models, &*models, ticket),
            Effect::KeepCameras { cameras, ticket } => return self.keep(KeptFile::Cameras, &*cameras, ticket),
            Effect::KeepVersion { model, units, is_wanted } => self.catalog.model_changed(&model, units, is_wanted),
            Effect::KeepConfigured { model, version } => self.catalog.configure(&model, &version),
            Effect::AnswerCommand { ticket, result } => self.requests.answer_command(ticket, result),
            Effect::AnswerImage { image, reply } => self.answer_image(image, reply),
            Effect::AnswerSnapshot { ticket, reply } => self.requests.answer_snapshot(ticket, reply),
            Effect::Report(report) => self.reporter.report(report, monotonic_now()),
        }
        None
    }

    /// Takes over what the core does not hold of a change of the settings, and returns the event for the core.
    pub(super) fn change(&mut self, request: ChangeRequest) -> Event {
        let ChangeRequest { change, settings, passwords, publisher, claims, reply } = request;
        let ids: Vec<CameraId> = settings.cameras.iter().map(|camera| camera.id.clone()).collect();
        self.reporter.set_cameras(&ids, claims.published());
        if let Some(publisher) = publisher {
            self.reporter.replace_publisher(*publisher, claims.published());
        }
        self.reporter.set_standings(claims.standings, monotonic_now());
        let environment = child_environment(&settings.log.level, settings.sandbox.mode);
        self.units.set_environment(environment);
        self.captures.set_environment(capture_environment(&settings.log.level, &settings));
        self.cameras = settings.cameras.iter().map(|camera| (camera.id.clone(), camera.clone())).collect();
        self.passwords = passwords;
        self.live.set_cameras(&settings);
        self.scenes.set(scenes_of(&settings));
        self.loader = PackageLoader::new(settings, self.loader.engines(), self.own.clone());
        self.requests.change(change, reply)
    }

    fn start_unit(&mut self, unit: UnitId, model: &str, load: LoadModel) -> Option<Event> {
        let error = self.units.start(unit, model, load).err()?;
        tracing::error!(%unit, %error, "an inference unit could not be started");
        Some(Event::UnitEnded { unit })
    }

    fn dispatch(&mut self, unit: UnitId, items: &[(RequestId, Work)]) {
        let region = |(_, work): &(RequestId, Work)| match work {
            Work::Frame(frame) => self.regions.get(&frame.region),
            Work::Image(image) if image.region == IMAGE_REGION => Some(&self.image_region),
            Work::Image(image) => self.requests.image_region(image.id),
        };
        let Some(regions) = items.iter().map(region).collect::<Option<Vec<_>>>() else {
            debug_assert!(false, "a region lives while one of its frames is in flight");
            return self.units.kill(unit);
        };
        // On an error the unit has been killed. The event of its end retries the work or fails it.
        if let Err(error) = self.units.dispatch(unit, items, &regions) {
            tracing::warn!(%unit, %error, "work could not be sent to an inference unit");
        }
    }

    fn open(
        &mut self,
        group: usize,
        camera: &CameraId,
        index: crate::ipc::messages::CameraIndex,
        region: RegionId,
        slots: u16,
    ) -> Result<(), (LossKind, String)> {
        let other = |detail: String| (LossKind::Other, detail);
        let settings = self.cameras.get(camera).ok_or_else(|| other("the camera has no settings".into()))?;
        let memory = Region::create("ocelli-frames", slots).map_err(|error| {
            tracing::error!(%camera, %error, "the shared memory for a camera could not be created");
            other(format!("no shared memory: {error}"))
        })?;
        let password = self.passwords.get(camera).and_then(|passwords| passwords.analysed.as_ref());
        let source = camera_source(&settings.analysed(), password, &self.capture);
        let source = CameraSource { keep_ms: self.live.clips().keep_ms(camera), ..source };
        let opened = self.captures.open(group, index, source, &memory);
        opened.map_err(|error| (error.kind(), error.to_string()))?;
        self.regions.insert(region, memory);
        Ok(())
    }

    fn take_snapshot(&mut self, group: usize, order: SnapshotOrder) -> Option<Event> {
        let id = order.id;
        match Region::create("ocelli-snapshot", 1) {
            Ok(region) => {
                self.captures.snapshot(group, order, &region);
                self.pictures.insert(id, region);
                None
            }
            Err(error) => {
                let made = Err(format!("its shared memory could not be created: {error}"));
                Some(Event::SnapshotMade { group, id, made, wall_ms: None })
            }
        }
    }

    /// Reads the JPEG of an order from its region. The capture process is not trusted: any length may be reported.
    pub(super) fn snapshot_made(&mut self, group: usize, answer: SnapshotAnswer) -> Event {
        let SnapshotAnswer { id, result } = answer;
        let region = self.pictures.remove(&id);
        let made = result.and_then(|SnapshotMade { bytes, source }| {
            let region = region.ok_or("its order is no longer open")?;
            let bytes = usize::try_from(bytes).ok().filter(|bytes| (1..=MAX_SNAPSHOT_BYTES).contains(bytes));
            let bytes = bytes.ok_or("its length is invalid")?;
            let jpeg = region.copy_start(bytes).map(Arc::from).map_err(|error| error.to_string())?;
            Ok(MadePicture { jpeg, source })
        });
        let wall_ms = is_wall_clock_synchronized().then(wall_now_ms);
        Event::SnapshotMade { group, id, made, wall_ms }
    }

    fn keep<T: Serialize>(&self, file: KeptFile, content: &T, ticket: Option<CommandTicket>) -> Option<Event> {
        let (own, tickets): (_, Vec<_>) = (self.own.clone(), ticket.into_iter().collect());
        let waiting = tickets.clone();
        let kept = move |result| {
            // If the shell has ended, no command waits.
            drop(own.blocking_send(Event::Kept { tickets: waiting, result }));
        };
        let written = serde_json::to_vec_pretty(content).map_err(|error| error.to_string()).and_then(|bytes| {
            let path = self.state_directory.join(file.name());
            self.files.write(&path, bytes, OnRefusal::TryAgain, kept).map_err(str::to_owned)
        });
        written.err().map(|why| Event::Kept { tickets, result: Err(why) })
    }

    fn answer_image(&mut self, id: crate::admission::ImageId, reply: ImageReply) {
        let Some(offer) = self.requests.take_image(id) else { return };
        if let ImageReply::Detected(answer, package) = &reply {
            self.reporter.image_answered(offer.arrived_at, answer, package, monotonic_now());
        }
        if offer.slot.own_region().is_some() {
            self.units.detach(crate::appliance::inbox::image_work(id, &offer).region);
        }
        Requests::answer_image(offer, reply);
    }
}
