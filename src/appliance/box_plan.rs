//! The plan that the core starts with: the settings, with the stored changes that commands made to models and cameras.

use crate::appliance::engines::Engines;
use crate::appliance::package_loader::read;
use crate::appliance::zone_placement::{core_count, placements};
use crate::core::camera_switches::CameraSwitches;
use crate::core::desired_models::DesiredModels;
use crate::core::event::KeptFile;
use crate::core::event::PackageSource;
use crate::core::loaded_package::LoadedPackage;
use crate::core::plan::{BoxPlan, BoxTerms, ModelPlan, ModelTerms};
use crate::settings::{KnownLabels, Settings};
use crate::supervisor::BoxLimits;
use crate::supervisor::pool::{TpsQuota, UnitDeadlines};
use crate::supervisor::settings::{ModelSettings, NamedLimit, TpsLimitSetting, UnitSettings};
use crate::vision::framing::Framing;
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The stored package of a model of the settings, if a swap has changed it.
pub fn swapped_package(settings: &Settings, model: &ModelSettings) -> Option<String> {
    let desired = desired_models(settings);
    desired.of(&model.name).map(|desired| desired.package.clone()).filter(|package| package != model.package())
}

/// Builds the plan; reads every package.
pub(super) fn box_plan(settings: &Settings, engines: &Engines, boot_id: String) -> BoxPlan {
    let units = &settings.units;
    let desired = desired_models(settings);
    let plan = |model| model_plan(settings, engines, model, &desired);
    let models: Vec<ModelPlan> = settings.models.iter().map(plan).collect();
    log_unknown_labels(settings, &models);
    let mut switches: CameraSwitches = kept(&settings.state_directory, KeptFile::Cameras);
    switches.retain(&settings.cameras);
    BoxPlan {
        zones: placements(settings),
        zone_probe: Duration::from_secs_f32(units.zone_probe_seconds),
        limits: BoxLimits {
            units: most_units(units),
            models: usize::from(units.max_models),
            reserve_bytes: u64::from(units.memory_reserve_mb) << 20,
        },
        terms: BoxTerms {
            deadlines: UnitDeadlines {
                load: Duration::from_secs_f32(units.load_timeout_seconds),
                inference: Duration::from_secs_f32(units.inference_timeout_seconds),
            },
            max_frame_age: Duration::from_secs_f32(units.max_frame_age_seconds),
            max_queue_time: Duration::from_secs_f32(units.max_queue_seconds),
            brought_in: ModelTerms { quota: None, ..model_terms(&settings.default_model()) },
            capture: settings.capture.clone(),
            tracking: settings.tracking.clone(),
            snapshots: settings.snapshots.clone(),
        },
        models,
        desired,
        cameras: settings.cameras.clone(),
        switches,
        boot_id,
    }
}

/// A label that no model has is never seen, and nothing else says so.
fn log_unknown_labels(settings: &Settings, models: &[ModelPlan]) {
    let labels = |model: &ModelPlan| {
        let package = &model.loaded.as_ref().ok()?.package;
        Some((model.name.clone(), package.labels.names().map(str::to_owned).collect()))
    };
    let known: KnownLabels = models.iter().filter_map(labels).collect();
    settings.unknown_labels(&known).iter().for_each(|remark| tracing::warn!("{remark}"));
}

fn desired_models(settings: &Settings) -> DesiredModels {
    let kept = kept(&settings.state_directory, KeptFile::Models);
    DesiredModels::new(&settings.models, &kept, core_count())
}

/// Loads the package that a command has chosen, or if it cannot be used, the one of the settings.
pub(super) fn model_plan(
    settings: &Settings,
    engines: &Engines,
    model: &ModelSettings,
    desired: &DesiredModels,
) -> ModelPlan {
    let wanted = desired.of(&model.name).map_or(model.package(), |desired| &desired.package);
    let load = |package: &str| read(settings, engines, &model.name, &PackageSource::Named(package.to_owned()));
    let loaded: Result<LoadedPackage, String> = match load(wanted) {
        Err(reason) if wanted != model.package() => {
            tracing::error!(model = model.name, reason, "the stored package is unusable; falling back to the settings");
            load(model.package())
        }
        loaded => loaded,
    };
    if let Err(reason) = &loaded {
        tracing::error!(
            model = model.name,
            reason,
            "a model is FAILED: its package cannot be used; retrying every minute"
        );
    }
    ModelPlan { name: model.name.clone(), package: model.package().to_owned(), terms: model_terms(model), loaded }
}

/// How a model of the settings handles work.
pub(super) fn model_terms(model: &ModelSettings) -> ModelTerms {
    let quota = match model.tps_limit {
        Some(TpsLimitSetting::Fixed(tps)) => Some(TpsQuota::Fixed(tps)),
        Some(TpsLimitSetting::Named(NamedLimit::Auto)) => Some(TpsQuota::Measured),
        Some(TpsLimitSetting::Named(NamedLimit::None)) | None => None,
    };
    let image_framing = Framing { tiling: model.image_tiles, ..Framing::default() };
    ModelTerms { image_share: f64::from(model.image_share), quota, image_framing }
}

/// Reads a state file; returns the default if there is none or it cannot be read.
fn kept<T: DeserializeOwned + Default>(directory: &Path, file: KeptFile) -> T {
    let path = directory.join(file.name());
    let read = std::fs::read(&path).and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
    read.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            tracing::warn!(file = %path.display(), %error, "stored changes cannot be read; the settings apply");
        }
        T::default()
    })
}

/// The most units of the box, of all models together.
pub(super) fn most_units(units: &UnitSettings) -> usize {
    match units.max_units {
        0 => core_count() * 2,
        units => usize::from(units),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_leaves_the_settings() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("models.json"), "{").unwrap();
        assert_eq!(kept::<DesiredModels>(home.path(), KeptFile::Models), DesiredModels::default());
    }
}
