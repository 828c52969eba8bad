//! Reads packages outside the event loop: the checksum of a large model takes seconds, and a failing disk may hang.

use crate::appliance::engines::{self, Engines};
use crate::core::Event;
use crate::core::event::{PackageSource, PackageTicket};
use crate::core::loaded_package::LoadedPackage;
use crate::ipc::messages::LoadModel;
use crate::model::package::{Package, PackageError};
use crate::settings::Settings;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Reads packages according to the settings.
#[derive(Clone, Debug)]
pub(super) struct PackageLoader {
    settings: Arc<Settings>,
    engines: Engines,
    results: mpsc::Sender<Event>,
}

impl PackageLoader {
    /// Results are sent to `results`.
    pub(super) fn new(settings: Arc<Settings>, engines: Engines, results: mpsc::Sender<Event>) -> Self {
        Self { settings, engines, results }
    }

    /// The engines that are known. They outlive a change of the settings.
    pub(super) fn engines(&self) -> Engines {
        self.engines.clone()
    }

    /// Starts to read a package. The result is an [`Event::PackageLoaded`].
    pub(super) fn load(&self, ticket: PackageTicket, model: String, source: PackageSource) {
        let loader = self.clone();
        tokio::task::spawn_blocking(move || {
            let result = read(&loader.settings, &loader.engines, &model, &source).map(Box::new);
            // The shell may have ended meanwhile.
            drop(loader.results.blocking_send(Event::PackageLoaded { ticket, result }));
        });
    }
}

/// Reads a package, and builds the load message for its units.
///
/// # Errors
/// The reason why it cannot be used, without paths of the box; the log has the details.
pub(super) fn read(
    settings: &Settings,
    engines: &Engines,
    model: &str,
    source: &PackageSource,
) -> Result<LoadedPackage, String> {
    let units = &settings.units;
    let (terms, package, load) = match source {
        PackageSource::Named(name) => {
            let configured = settings.models.iter().find(|configured| configured.name == model);
            let configured = configured.ok_or_else(|| format!("no settings name the model `{model}`"))?;
            let package = Package::load(&units.models_directory, name, model);
            let package = package.map_err(|error| unusable(&error, &[&units.models_directory]))?;
            let load = load_model(settings, configured, &package.name);
            (configured.clone(), package, load)
        }
        PackageSource::Directory(directory) => {
            let package = Package::load_from(directory.clone(), model, model);
            let package = package.map_err(|error| unusable(&error, &[directory]))?;
            let terms = ModelSettings { name: model.to_owned(), variant: None, ..settings.default_model() };
            let load = LoadModel { directory: directory.clone(), ..load_model(settings, &terms, "") };
            (terms, package, load)
        }
    };
    let load = engines.turn(settings, &terms, source, &package, load).of_package(&package);
    Ok(LoadedPackage { package: Arc::new(package), load })
}

/// The load message for the units of a model, without the settings of a zone. Its caches are those of all models:
/// [`LoadModel::of_package`] must follow, or none. Where the provider is chosen by measurement, it is what computes without a
/// choice.
pub fn load_model(settings: &Settings, model: &ModelSettings, package: &str) -> LoadModel {
    let units = &settings.units;
    let execution_provider = model.execution_provider.named().unwrap_or_default();
    LoadModel {
        directory: units.models_directory.join(package),
        variant: model.variant.unwrap_or_default(),
        execution_provider,
        device: model.device.clone(),
        provider_options: model.provider_options.clone(),
        intra_op_threads: model.threads,
        max_batch: model.max_batch,
        runtime_library: units.library_of(execution_provider).to_owned(),
        cache_directory: Some(units.cache_directory.clone()).filter(|directory| !directory.as_os_str().is_empty()),
        cores: Vec::new(),
        memory_limit_bytes: Some(u64::from(units.memory_megabytes) << 20).filter(|bytes| *bytes > 0),
        package_digest: None,
        is_trial: false,
        is_observed: false,
    }
}

/// [`load_model`] with the model's own caches, and the engine that the daemon has chosen; with no caches if its package cannot
/// be read, of which the unit says why.
pub fn load_with_caches(settings: &Settings, model: &ModelSettings, package: &str) -> LoadModel {
    let load = load_model(settings, model, package);
    match Package::load(&settings.units.models_directory, package, package) {
        Ok(package) => engines::with_known_engine(settings, model, &package, load).of_package(&package),
        Err(_) => load.without_caches(),
    }
}

fn unusable(error: &PackageError, paths: &[&Path]) -> String {
    tracing::warn!(error = %describe(error), "a package cannot be used");
    public_reason(&error.to_string(), paths)
}

/// Removes absolute paths of the box from a text for callers. Relative paths reveal nothing, and may be part of any
/// word.
pub(super) fn public_reason(reason: &str, paths: &[&Path]) -> String {
    let paths = paths.iter().filter(|path| path.is_absolute());
    paths.fold(reason.to_owned(), |text, path| text.replace(&path.display().to_string(), "the package"))
}

#[cfg(test)]
mod tests {
    use super::public_reason;
    use std::path::Path;

    #[test]
    fn callers_read_no_paths() {
        let reason = "/var/lib/ocelli/packages/7/model.onnx has sha256 a and not b; see /srv/models/edge";
        let shown = public_reason(reason, &[Path::new("/var/lib/ocelli/packages/7"), Path::new("/srv/models")]);
        assert_eq!(shown, "the package/model.onnx has sha256 a and not b; see the package/edge");
        assert_eq!(public_reason("see units.models_directory", &[Path::new("models")]), "see units.models_directory");
    }
}
