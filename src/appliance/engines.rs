//! The engines of models whose execution provider is chosen by measurement: those that are known, and orders to measure the
//! others. Until an engine is known, a model computes on the CPU.

use crate::appliance::child_environment::child_environment;
use crate::appliance::zone_placement::core_count;
use crate::core::event::PackageSource;
use crate::engine_choice::{Bench, BenchLimits, Choice, Records, Wanted, key};
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use crate::settings::Settings;
use crate::supervisor::settings::ModelSettings;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// The most orders that wait: one for each model that a box may run.
const MOST_ORDERS: usize = 64;

/// The most time for all engines of a model together.
const ALL_ENGINES: Duration = Duration::from_secs(180);

/// An order to measure the engines of a model.
#[derive(Debug)]
pub(super) struct EngineOrder {
    /// The model's name.
    pub(super) model: String,
    /// The package as it was read.
    pub(super) package: Package,
    /// From where it is read again once its engine is known.
    pub(super) source: PackageSource,
    /// What the settings leave open.
    pub(super) terms: EngineTerms,
}

/// What a measurement follows from.
#[derive(Clone, Debug)]
pub struct EngineTerms {
    /// The identity of the choice.
    pub key: String,
    /// What may be chosen.
    pub wanted: Wanted,
    /// The units of the model, and what trials need.
    pub units: usize,
    /// Memory in bytes that units must leave free.
    pub reserve_bytes: u64,
    /// What trials need.
    pub bench: Bench,
}

/// The engines that are known. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Engines {
    records: Arc<Mutex<Records>>,
    orders: mpsc::Sender<EngineOrder>,
}

impl Engines {
    /// Reads what was chosen before. Orders go to the returned queue.
    pub(super) fn load(state_directory: &Path) -> (Self, mpsc::Receiver<EngineOrder>) {
        let (orders, queue) = mpsc::channel(MOST_ORDERS);
        (Self { records: Arc::new(Mutex::new(Records::load(state_directory))), orders }, queue)
    }

    /// The choices. Their lock is held for moments only.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns a load to the engine that was chosen for its package. If none was, it stays as it is, and a measurement is ordered.
    pub(super) fn turn(
        &self,
        settings: &Settings,
        model: &ModelSettings,
        source: &PackageSource,
        package: &Package,
        mut load: LoadModel,
    ) -> LoadModel {
        let Some(terms) = engine_terms(settings, model, package, &load) else { return load };
        if let Some(choice) = self.records().of(&terms.key) {
            turn_to(settings, choice, &mut load);
            return load;
        }
        let order = EngineOrder { model: model.name.clone(), package: package.clone(), source: source.clone(), terms };
        if self.orders.try_send(order).is_err() {
            tracing::warn!(model = model.name, "too many models wait for a measurement; it computes on the CPU");
        }
        load
    }
}

/// Turns a load to the engine that a daemon has chosen on this box, if there is one.
pub(super) fn with_known_engine(
    settings: &Settings,
    model: &ModelSettings,
    package: &Package,
    mut load: LoadModel,
) -> LoadModel {
    if let Some(choice) = known_choice(settings, model, package) {
        turn_to(settings, &choice, &mut load);
    }
    load
}

/// What a daemon has chosen on this box for a model of these settings.
pub fn known_choice(settings: &Settings, model: &ModelSettings, package: &Package) -> Option<Choice> {
    let terms = engine_terms(settings, model, package, &LoadModel::default())?;
    Records::load(&settings.state_directory).of(&terms.key).cloned()
}

/// Turns a load to the engine of a choice, with its library.
pub fn turn_to(settings: &Settings, choice: &Choice, load: &mut LoadModel) {
    choice.engine.apply(load);
    settings.units.library_of(load.execution_provider).clone_into(&mut load.runtime_library);
}

/// What a measurement for the package follows from; `None` if the settings name the provider.
pub fn engine_terms(
    settings: &Settings,
    model: &ModelSettings,
    package: &Package,
    load: &LoadModel,
) -> Option<EngineTerms> {
    if model.execution_provider.named().is_some() {
        return None;
    }
    let units = &settings.units;
    let wanted = Wanted { variant: model.variant, most_threads: model.threads };
    let libraries = || std::iter::once(&units.runtime_library).chain(units.runtime_libraries.values());
    let looks = Duration::from_secs_f32(units.inference_timeout_seconds) * 3;
    let load_limit = Duration::from_secs_f32(units.load_timeout_seconds);
    let limits = BenchLimits {
        load: load_limit,
        looks,
        all: ALL_ENGINES,
        memory_bytes: Some(u64::from(units.memory_megabytes) << 20).filter(|bytes| *bytes > 0),
    };
    let bench = Bench {
        program: own_binary(),
        environment: child_environment("error", settings.sandbox.mode),
        load: load.clone().without_caches(),
        libraries: units.runtime_libraries.clone(),
        limits,
    };
    Some(EngineTerms {
        key: key(package, wanted, libraries().map(PathBuf::as_path)),
        wanted,
        units: if model.min_inference_units == 0 { core_count() } else { usize::from(model.min_inference_units) },
        reserve_bytes: u64::from(units.memory_reserve_mb) << 20,
        bench,
    })
}
