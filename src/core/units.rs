//! The inference units and their models, and the changes that commands make.

mod change;
mod commands;
mod engines;
mod status;

use crate::admission::{Controller, FrameWork, Gate, ImageQueue, ImageWork};
use crate::camera::settings::CameraSettings;
use crate::catalog::Units as CatalogUnits;
use crate::control::ControlError;
use crate::core::desired_models::DesiredModels;
use crate::core::effect::Effect;
use crate::core::event::{CommandTicket, PackageSource};
use crate::core::loaded_package::LoadedPackage;
use crate::core::packages::PendingPackages;
use crate::core::plan::{BoxTerms, ModelPlan, ModelTerms};
use crate::ipc::messages::{FromUnit, LoadModel};
use crate::model::package::Package;
use crate::supervisor::model_version::ModelVersion;
use crate::supervisor::pool::{Pool, UnitBounds};
use crate::supervisor::unit_state::{Readiness, UnitId};
use crate::supervisor::{Answer, Fleet, ModelState, SupervisorAction};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::ShedReason;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The fleet, and the desired state that survives a restart.
#[derive(Debug)]
pub(super) struct Units {
    fleet: Fleet,
    desired: DesiredModels,
    packages: PendingPackages,
    terms: BoxTerms,
    /// The box's limit of units.
    most_units: usize,
    /// The model of cameras that name none.
    default_model: String,
    /// Models that the settings do not name any more. Each is removed when its units have stopped.
    leaving: BTreeSet<String>,
    /// Models that are to run and could not be started, with the reasons.
    not_started: BTreeMap<String, String>,
    /// Models that keep their version, because the package of the settings cannot be used, with the reasons.
    kept_back: BTreeMap<String, String>,
    /// Models whose engine was measured, with where their package is read again and its digest. Each is swapped to the engine
    /// once nothing else is going on with it.
    engines: BTreeMap<String, (PackageSource, String)>,
    /// The image transactions of each model at the last call of `frame_capacities`.
    images_before: BTreeMap<String, u64>,
}

impl Units {
    /// Adds all models of the settings and starts those that are to run. `most_units` is the box's limit.
    pub(super) fn new(
        fleet: Fleet,
        models: Vec<ModelPlan>,
        desired: DesiredModels,
        terms: BoxTerms,
        most_units: usize,
        now: Monotonic,
    ) -> Self {
        let default_model = models.first().map(|model| model.name.clone()).unwrap_or_default();
        let mut units = Self {
            fleet,
            desired,
            packages: PendingPackages::default(),
            terms,
            most_units,
            default_model,
            leaving: BTreeSet::new(),
            not_started: BTreeMap::new(),
            kept_back: BTreeMap::new(),
            engines: BTreeMap::new(),
            images_before: BTreeMap::new(),
        };
        for plan in models {
            units.add(plan, now);
        }
        units
    }

    fn add(&mut self, plan: ModelPlan, now: Monotonic) {
        let Some(desired) = self.desired.of(&plan.name).cloned() else { return };
        let bounds = within(desired.bounds(), self.most_units);
        let pool = match plan.loaded {
            Ok(loaded) => self.pool(loaded, plan.terms, bounds, now),
            Err(reason) => {
                let (model, name) = (plan.name.clone(), plan.package.clone());
                let package = Arc::new(Package { model, name, ..Package::default() });
                self.packages.retry_later(&plan.name, &plan.package, now);
                let empty = LoadedPackage { package, load: LoadModel::default() };
                self.pool(empty, plan.terms, bounds, now).with_unusable_package(reason)
            }
        };
        self.fleet.add_model(pool);
        if desired.is_running
            && let Err(error) = self.fleet.start(&plan.name, None)
        {
            self.not_started.insert(plan.name, error.to_string());
        }
    }

    /// The stopped pool of a model.
    fn pool(&mut self, loaded: LoadedPackage, terms: ModelTerms, bounds: UnitBounds, now: Monotonic) -> Pool {
        let controller = Controller::new(self.terms.max_frame_age);
        let gate = Gate::new(controller, ImageQueue::new(self.terms.max_queue_time), terms.image_share);
        let version = self.version(loaded);
        let pool = Pool::new(version, bounds, gate, terms.quota, self.terms.deadlines, now);
        pool.with_image_framing(terms.image_framing)
    }

    /// Numbers a package as the next version.
    fn version(&mut self, loaded: LoadedPackage) -> ModelVersion {
        ModelVersion { id: self.fleet.next_version(), package: loaded.package, load: loaded.load }
    }

    /// A unit sent a message.
    pub(super) fn message(&mut self, unit: UnitId, message: FromUnit, now: Monotonic) -> Vec<SupervisorAction> {
        match message {
            FromUnit::Ready { providers, batch, run_us, cache_problem, .. } => {
                let run_time = Duration::from_micros(u64::from(run_us));
                let ready = Readiness { providers, batch: u32::from(batch), run_time, cache_problem };
                self.fleet.unit_ready(unit, ready, now)
            }
            FromUnit::LoadFailed { reason } => {
                self.fleet.unit_load_failed(unit, reason);
                Vec::new()
            }
            FromUnit::Detected { request, detections, weak, timing, size } => {
                let answer = Answer { detections, weak, timing, queued: Duration::ZERO, size };
                self.fleet.unit_answered(unit, request, Ok(answer), now)
            }
            FromUnit::Failed { request, cause, .. } => self.fleet.unit_answered(unit, request, Err(cause), now),
            // The appliance sends its units no request for the others.
            FromUnit::Hello { .. }
            | FromUnit::Pong { .. }
            | FromUnit::Inspected(_)
            | FromUnit::Quantized(_)
            | FromUnit::Observed(_) => Vec::new(),
        }
    }

    /// A unit's process has ended, or could not be started.
    pub(super) fn ended(&mut self, unit: UnitId, now: Monotonic) -> Vec<SupervisorAction> {
        self.fleet.unit_ended(unit, now)
    }

    /// Gives a camera its place with the model and weight of its settings.
    pub(super) fn place_camera(&mut self, camera: &CameraSettings) -> Vec<SupervisorAction> {
        let model = camera.model.as_ref().unwrap_or(&self.default_model);
        self.fleet.move_camera(&camera.id, camera.weight, model)
    }

    /// Removes a camera. Its waiting frame is shed.
    pub(super) fn remove_camera(&mut self, camera: &CameraId) -> Vec<SupervisorAction> {
        self.fleet.remove_camera(camera)
    }

    /// A frame was due and its capture process kept it to itself.
    pub(super) fn frame_kept_back(&mut self, camera: &CameraId, reason: ShedReason) {
        self.fleet.frame_kept_back(camera, reason);
    }

    /// A frame was announced.
    pub(super) fn frame_captured(&mut self, work: FrameWork, now: Monotonic) -> Vec<SupervisorAction> {
        self.fleet.frame_captured(work, now)
    }

    /// An image arrived for a model. `None`: there is no such model.
    pub(super) fn image_offered(
        &mut self,
        model: &str,
        work: ImageWork,
        now: Monotonic,
    ) -> Option<Vec<SupervisorAction>> {
        self.fleet.image_offered(model, work, now).ok()
    }

    /// Does what is due by `now`. Reads of packages are pushed to `effects`, actions of the fleet are returned.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) -> Vec<SupervisorAction> {
        self.refuse_overdue(now, effects);
        self.retry_packages(now, effects);
        self.read_for_engines(now, effects);
        self.retry_not_started();
        self.remove_left();
        self.fleet.tick(now)
    }

    /// The daemon was suspended for `gap`.
    pub(super) fn paused(&mut self, gap: Duration) {
        self.fleet.paused(gap);
        self.packages.paused(gap);
    }

    /// Takes no more work; units finish their current batches.
    pub(super) fn drain(&mut self) -> Vec<SupervisorAction> {
        self.fleet.drain()
    }

    /// The time to drain is over: work without an answer has failed.
    pub(super) fn abandon(&mut self, now: Monotonic) -> Vec<SupervisorAction> {
        self.fleet.abandon(now)
    }

    /// Frames and images that wait or are worked on.
    pub(super) fn in_flight(&self) -> u64 {
        self.fleet.in_flight()
    }

    /// True if nothing is in flight, and no unit starts, works or stops.
    pub(super) fn are_at_rest(&self) -> bool {
        self.fleet.is_at_rest()
    }

    /// Units in service by package, for the meter of inference hours.
    pub(super) fn metered(&self) -> Vec<(Arc<Package>, usize)> {
        self.fleet.metered()
    }

    /// Memory was measured.
    pub(super) fn memory(&mut self, available_bytes: Option<u64>, units: &[(UnitId, u64)]) {
        self.fleet.memory(available_bytes, units.iter().map(|(_, bytes)| *bytes).max());
        for (unit, bytes) in units {
            self.fleet.unit_measured(*unit, *bytes);
        }
    }

    /// The throughput left for frames of each model, in transactions a second, beside the images of the last `period`.
    pub(super) fn frame_capacities(&mut self, period: Duration) -> Vec<(String, Option<f64>)> {
        let before = std::mem::take(&mut self.images_before);
        let mut capacities = Vec::new();
        for (name, pool) in self.fleet.models() {
            let images = pool.image_transactions();
            let done = images - before.get(name).copied().unwrap_or(images).min(images);
            capacities.push((name.clone(), pool.frame_capacity_tps(done as f64 / period.as_secs_f64())));
            self.images_before.insert(name.clone(), images);
        }
        capacities
    }

    /// The model that analyses a camera's frames.
    pub(super) fn model_of(&self, camera: &CameraId) -> Option<&str> {
        self.fleet.model_of(camera)
    }

    /// Stores the change of a model by a command. Returns true if the command's reply must wait for the disk: only
    /// models of the settings do.
    pub(super) fn keep(
        &mut self,
        model: &str,
        ticket: Option<CommandTicket>,
        effects: &mut Vec<Effect>,
        change: impl FnOnce(&mut crate::core::desired_models::DesiredModel),
    ) -> bool {
        if self.desired.of(model).is_none() {
            self.keep_brought_in(model, effects);
            return false;
        }
        // A command that changes nothing is written all the same: the disk may have refused the first time.
        let is_written = self.desired.change(model, change) || ticket.is_some();
        if is_written {
            effects.push(Effect::KeepModels { models: Box::new(self.desired.clone()), ticket });
        }
        is_written
    }

    /// Stores the state of a model that no settings name, in the catalog.
    fn keep_brought_in(&self, model: &str, effects: &mut Vec<Effect>) {
        if let Some(pool) = self.fleet.model(model) {
            let UnitBounds { min, max } = pool.bounds();
            let is_wanted = !matches!(pool.state(), ModelState::Stopping | ModelState::Stopped);
            let (model, units) = (model.to_owned(), CatalogUnits { min, max });
            effects.push(Effect::KeepVersion { model, units, is_wanted });
        }
    }

    /// Stores the package that a swap has put into service. True if it is being written.
    pub(super) fn keep_package(
        &mut self,
        package: &Package,
        ticket: Option<CommandTicket>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if self.desired.of(&package.model).is_none() {
            return false;
        }
        let is_written =
            self.keep(&package.model, ticket, effects, |desired| desired.package.clone_from(&package.name));
        let (model, version) = (package.model.clone(), package.version.clone());
        effects.push(Effect::KeepConfigured { model, version });
        is_written
    }
}

/// Reduces a maximum above the box's limit to the limit, so that the same settings suit boxes of several sizes.
fn within(bounds: UnitBounds, limit: usize) -> UnitBounds {
    match bounds.max {
        Some(max) if max > limit && bounds.min <= limit => UnitBounds { max: Some(limit), ..bounds },
        _ => bounds,
    }
}

/// How far a command about a model is.
#[derive(Debug)]
pub(super) enum Progress {
    /// Complete: the reply can be sent now.
    Done,
    /// The reply is sent when the change is on the disk.
    Keeping,
    /// The reply is sent when the package was read.
    Reading,
}

/// The progress of a command, or the reason why it was refused.
pub(super) type CommandResult = Result<Progress, ControlError>;
