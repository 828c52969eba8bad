//! Builds the fleet from the settings: pools and versions, over the zones.

use crate::admission::{Controller, Gate, ImageQueue};
use crate::appliance::desired_state::DesiredState;
use crate::appliance::zone_placement::placements;
use crate::control::ControlError;
use crate::ipc::messages::LoadModel;
use crate::model::package::{Package, PackageError};
use crate::settings::Settings;
use crate::supervisor::pool::{ModelVersion, Pool, TpsQuota, UnitBounds, UnitDeadlines};
use crate::supervisor::settings::{MeasuredLimit, ModelSettings, TpsLimitSetting};
use crate::supervisor::zones::Zones;
use crate::supervisor::{BoxLimits, Fleet, FleetError};
use crate::vision::error_chain::describe;
use crate::vision::framing::Framing;
use crate::vision::monotonic::Monotonic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Cores that the daemon may use; a model without a number of units has one each.
pub fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The fleet with every model of the settings, those that are to run started.
pub(super) fn fleet(settings: &Settings, desired: &DesiredState, now: Monotonic) -> Result<Fleet, ControlError> {
    let placements = placements(settings);
    let names = placements.iter().map(|zone| zone.name.clone()).collect();
    let zones = Zones::new(names, Duration::from_secs_f32(settings.units.zone_probe_seconds));
    let limits = BoxLimits {
        units: match settings.units.max_units {
            0 => core_count() * 2,
            units => usize::from(units),
        },
        models: usize::from(settings.units.max_models),
        reserve_bytes: u64::from(settings.units.memory_reserve_mb) << 20,
    };
    let mut fleet = Fleet::new(placements, zones, limits);
    for model in &settings.models {
        let Some(wanted) = desired.of(&model.name) else { continue };
        let version = match version(&mut fleet, settings, &model.name, &wanted.package) {
            Err(error) if wanted.package != model.package() => {
                tracing::error!(model = model.name, %error, "the kept package is not usable; the one in the settings is");
                version(&mut fleet, settings, &model.name, model.package())?
            }
            version => version?,
        };
        let bounds = within(wanted.bounds(), limits.units, &model.name);
        let pool = pool(settings, model, version, bounds, now);
        fleet.add_model(pool);
        if wanted.is_running
            && let Err(error) = fleet.start(&model.name, None)
        {
            tracing::error!(model = model.name, %error, "a model is not started");
        }
    }
    let default = settings.default_model().name;
    for camera in &settings.cameras {
        let model = camera.model.as_ref().unwrap_or(&default);
        fleet.add_camera(camera.id.clone(), camera.weight, model);
    }
    Ok(fleet)
}

/// A maximum above what the box may have is that: the same settings suit boxes of several sizes.
fn within(bounds: UnitBounds, limit: usize, model: &str) -> UnitBounds {
    match bounds.max {
        Some(max) if max > limit && bounds.min <= limit => {
            tracing::warn!(model, max, limit, "a model's maximum is more than this box may have (units.max_units)");
            UnitBounds { max: Some(limit), ..bounds }
        }
        _ => bounds,
    }
}

/// The stopped pool of a model.
fn pool(settings: &Settings, model: &ModelSettings, version: ModelVersion, bounds: UnitBounds, now: Monotonic) -> Pool {
    let deadlines = UnitDeadlines {
        load: Duration::from_secs_f32(settings.units.load_timeout_seconds),
        inference: Duration::from_secs_f32(settings.units.inference_timeout_seconds),
    };
    let controller = Controller::new(Duration::from_secs_f32(settings.units.max_frame_age_seconds));
    let images = ImageQueue::new(Duration::from_secs_f32(settings.units.max_queue_seconds));
    let gate = Gate::new(controller, images, f64::from(model.image_share));
    let quota = model.tps_limit.map(|limit| match limit {
        TpsLimitSetting::Fixed(tps) => TpsQuota::Fixed(tps),
        TpsLimitSetting::Named(MeasuredLimit::Auto) => TpsQuota::Measured,
    });
    let framing = Framing { tiling: model.image_tiles, ..Framing::default() };
    Pool::new(version, bounds, gate, quota, deadlines, now).with_image_framing(framing)
}

/// A stopped model from a package that was brought in, which is run as the first of the settings is.
pub(super) fn brought_in(
    fleet: &mut Fleet,
    settings: &Settings,
    model: &str,
    directory: PathBuf,
    now: Monotonic,
) -> Result<Pool, ControlError> {
    let model_settings = ModelSettings { name: model.to_owned(), tps_limit: None, ..settings.default_model() };
    let package = Package::load_from(directory.clone(), model, model);
    let package = package.map_err(|error| unusable(&error, &[&directory]))?;
    let load = LoadModel { directory, ..load_model(settings, &model_settings, "") };
    let version = ModelVersion { id: fleet.next_version(), package: Arc::new(package), load };
    Ok(pool(settings, &model_settings, version, UnitBounds { min: 1, max: None }, now))
}

/// A version of a model from its package on disk.
pub(super) fn version(
    fleet: &mut Fleet,
    settings: &Settings,
    model: &str,
    package: &str,
) -> Result<ModelVersion, ControlError> {
    let model_settings = settings.models.iter().find(|settings| settings.name == model);
    let model_settings = model_settings.ok_or_else(|| FleetError::NotFound(model.to_owned()))?;
    let package = Package::load(&settings.units.models_directory, package, model);
    let package = package.map_err(|error| unusable(&error, &[&settings.units.models_directory]))?;
    let load = load_model(settings, model_settings, &package.name);
    Ok(ModelVersion { id: fleet.next_version(), package: Arc::new(package), load })
}

/// The package that a swap has given to a model of the settings, if a daemon has kept one.
pub fn swapped_package(settings: &Settings, model: &ModelSettings) -> Option<String> {
    let desired = DesiredState::load(&settings.state_directory, &settings.models, core_count());
    desired.of(&model.name).map(|desired| desired.package.clone()).filter(|package| package != model.package())
}

/// What a unit of a model is told to load.
pub fn load_model(settings: &Settings, model: &ModelSettings, package: &str) -> LoadModel {
    let units = &settings.units;
    LoadModel {
        directory: units.models_directory.join(package),
        execution_provider: model.execution_provider,
        device: model.device.clone(),
        provider_options: model.provider_options.clone(),
        intra_op_threads: model.threads,
        max_batch: model.max_batch,
        runtime_library: units.runtime_library.clone(),
        cache_directory: Some(units.cache_directory.clone()).filter(|directory| !directory.as_os_str().is_empty()),
        cores: Vec::new(),
        memory_limit_bytes: None,
    }
}

fn unusable(error: &PackageError, paths: &[&Path]) -> ControlError {
    tracing::warn!(error = %describe(error), "a package cannot be used");
    ControlError::Package(public_reason(&error.to_string(), paths))
}

/// What callers may read: no path of the box. A relative one tells nothing of it, and may be part of any word.
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
