//! `[units]`, `[[models]]` and `[[zones]]`.

use crate::model::execution_provider::ProviderOptions;
use crate::model::package::is_package_name;
use crate::model::provider_setting::ProviderSetting;
use crate::settings::Settings;
use crate::settings::check::findings::Findings;
use crate::settings::check::tiles::check_tiles;
use crate::supervisor::settings::{ModelSettings, TpsLimitSetting};
use crate::vision::camera_id::is_valid_id;

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let units = &settings.units;
    findings.range("units.max_units", f64::from(units.max_units), 0.0, 256.0);
    findings.range("units.max_models", f64::from(units.max_models), 1.0, 64.0);
    if units.memory_megabytes != 0 {
        findings.range("units.memory_megabytes", f64::from(units.memory_megabytes), 256.0, 65_536.0);
    }
    findings.range("units.zone_probe_seconds", f64::from(units.zone_probe_seconds), 1.0, 86_400.0);
    findings.range("units.load_timeout_seconds", f64::from(units.load_timeout_seconds), 1.0, 3600.0);
    findings.range("units.inference_timeout_seconds", f64::from(units.inference_timeout_seconds), 2.0, 600.0);
    findings.range("units.max_frame_age_seconds", f64::from(units.max_frame_age_seconds), 0.05, 60.0);
    findings.range("units.max_queue_seconds", f64::from(units.max_queue_seconds), 0.01, 60.0);
    for (index, model) in settings.models.iter().enumerate() {
        check_model(&format!("models[{index}]"), model, findings);
    }
    findings.unique("models", "name", settings.models.iter().map(|model| model.name.as_str()));
    check_limits(settings, findings);
    check_measured(settings, findings);

    findings.unique("zones", "name", settings.zones.iter().map(|zone| zone.name.as_str()));
    for (index, zone) in settings.zones.iter().enumerate() {
        if zone.numa_node.is_some() && !zone.cores.is_empty() {
            findings.add(
                format!("zones[{index}].numa_node"),
                "stands for the cores of that node: set either `numa_node` or `cores`",
            );
        }
    }
}

/// What is measured is one engine for all units of a model, on the box's cores.
fn check_measured(settings: &Settings, findings: &mut Findings) {
    let is_measured = |model: &&ModelSettings| model.execution_provider == ProviderSetting::Auto;
    let Some(model) = settings.models.iter().find(is_measured) else { return };
    for (index, zone) in settings.zones.iter().enumerate() {
        let device = zone.device.as_ref().map(|_| "device");
        if let Some(key) = zone.execution_provider.map(|_| "execution_provider").or(device) {
            let what = format!(
                "the model `{}` takes what is fastest on the box's cores (`execution_provider = \"auto\"`), in all zones: name \
                 its provider, or take `{key}` out of the zone",
                model.name
            );
            findings.add(format!("zones[{index}].{key}"), what);
        }
    }
}

fn check_model(name: &str, model: &ModelSettings, findings: &mut Findings) {
    if model.execution_provider == ProviderSetting::Auto {
        let what = "belongs to a provider, and `execution_provider` is \"auto\": name the provider, or take this out";
        if model.device.is_some() {
            findings.add(format!("{name}.device"), what);
        }
        if model.provider_options != ProviderOptions::default() {
            findings.add(format!("{name}.provider_options"), what);
        }
    }
    let (min, max) = (f64::from(model.min_inference_units), f64::from(model.max_inference_units));
    findings.range(format!("{name}.min_inference_units"), min, 0.0, 64.0);
    findings.range(format!("{name}.max_inference_units"), max, 0.0, 64.0);
    if max > 0.0 && (min == 0.0 || max < min) {
        let what = "must not be below `min_inference_units`, which must be set with it";
        findings.add(format!("{name}.max_inference_units"), what);
    }
    findings.range(format!("{name}.threads"), f64::from(model.threads), 1.0, 64.0);
    findings.range(format!("{name}.max_batch"), f64::from(model.max_batch), 1.0, 64.0);
    if let Some(megabytes) = model.provider_options.memory_limit_mb {
        findings.range(format!("{name}.provider_options.memory_limit_mb"), f64::from(megabytes), 16.0, 1_048_576.0);
    }
    findings.range(format!("{name}.image_share"), f64::from(model.image_share), 0.0, 1.0);
    if let Some(tiles) = &model.image_tiles {
        check_tiles(&format!("{name}.image_tiles"), tiles, findings);
    }
    if let Some(TpsLimitSetting::Fixed(tps)) = model.tps_limit {
        findings.range(format!("{name}.tps_limit"), tps, 0.01, 100_000.0);
    }
    if !is_valid_id(&model.name) {
        findings.add(format!("{name}.name"), "must be 1 to 64 of a-z, 0-9, `_` and `-`");
    }
    if !is_package_name(model.package()) {
        findings.add(format!("{name}.package"), "must be the name of a directory in `units.models_directory`");
    }
}

/// Finds models that could never get their units. Otherwise they would wait for ever, or never start.
fn check_limits(settings: &Settings, findings: &mut Findings) {
    let enabled = || settings.models.iter().filter(|model| model.enabled);
    let (max_models, max_units) = (usize::from(settings.units.max_models), u32::from(settings.units.max_units));
    let models = enabled().count();
    if models > max_models {
        let what =
            format!("is {max_models}, but {models} models are enabled: raise it, or set `enabled = false` for some");
        findings.add("units.max_models", what);
    }
    // 0 follows the box; the running daemon reports what is too much for it.
    if max_units == 0 {
        return;
    }
    for (index, model) in settings.models.iter().enumerate() {
        let min = u32::from(model.min_inference_units);
        if min > max_units {
            let what = format!("is {min}, but `units.max_units` allows {max_units} for all models together");
            findings.add(format!("models[{index}].min_inference_units"), what);
        }
    }
    // A model without a minimum has at least one unit.
    let wanted: u32 = enabled().map(|model| u32::from(model.min_inference_units.max(1))).sum();
    if enabled().all(|model| u32::from(model.min_inference_units) <= max_units) && wanted > max_units {
        let what = format!(
            "is {max_units}, but the enabled models need {wanted} units: raise it, or lower their `min_inference_units`"
        );
        findings.add("units.max_units", what);
    }
}
