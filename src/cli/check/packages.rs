//! The models: their packages, the labels that the settings name, and whether a unit can load them.

use crate::appliance::child_environment::child_environment;
use crate::appliance::{known_choice, load_model, swapped_package, turn_to};
use crate::cli::check::access::check_package_files;
use crate::cli::check::report::{Finding, Severity};
use crate::ipc::child_process::own_binary;
use crate::ipc::messages::LoadModel;
use crate::model::package::Package;
use crate::os::access::Visitor;
use crate::settings::{KnownLabels, Remark, Settings};
use crate::supervisor::one_shot::OneShotUnit;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use std::time::Duration;

/// Reads the package of each model, also of a disabled one: a command may start it. Returns the models whose package is
/// good.
pub(super) fn check_packages<'a>(
    settings: &'a Settings,
    visitor: &Visitor,
    findings: &mut Vec<Finding>,
) -> Vec<&'a ModelSettings> {
    let (mut good_models, mut known) = (Vec::new(), KnownLabels::new());
    for model in &settings.models {
        // The daemon runs the package that a command has swapped in, or that of the settings if it is not usable.
        let swapped = swapped_package(settings, model);
        for name in [Some(model.package()), swapped.as_deref()].into_iter().flatten() {
            let of_package = |severity, what: String| Finding::of_model(severity, "package of", &model.name, what);
            let package = match settings.check_package(model, name) {
                Ok(package) => package,
                Err(Remark { key, what, cure, .. }) => {
                    findings.push(of_package(Severity::Mistake, what).key(key).cure(cure));
                    continue;
                }
            };
            findings.push(match check_package_files(&package.directory, visitor) {
                Some((what, cure)) => of_package(Severity::Mistake, what).cure(cure),
                None => of_package(Severity::Ok, in_words(&package)),
            });
            if name == model.package() {
                good_models.push(model);
            }
            known.entry(model.name.clone()).or_default().extend(package.labels.names().map(str::to_owned));
        }
    }
    let unknown = settings.unknown_labels(&known).into_iter();
    findings.extend(unknown.map(|remark| Finding::of_remark(Severity::Mistake, remark)));
    good_models
}

fn in_words(package: &Package) -> String {
    format!("`{}` is whole, version {}, {} labels", package.name, package.version, package.labels.len())
}

/// Loads the model in a real unit, with the library of the settings.
pub(super) async fn check_model(settings: &Settings, model: &ModelSettings, visitor: &Visitor) -> Finding {
    let mut load = load_model(settings, model, model.package());
    let package = Package::load(&settings.units.models_directory, model.package(), &model.name);
    let choice = package.ok().and_then(|package| known_choice(settings, model, &package));
    choice.iter().for_each(|choice| turn_to(settings, choice, &mut load));
    let load = match visitor {
        Visitor::Caller => load,
        // What root writes into the cache, the service cannot read.
        Visitor::User(_) => LoadModel { cache_directory: None, ..load },
    };
    let (provider, variant) = (load.execution_provider, load.variant);
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let unit = OneShotUnit::start(own_binary(), child_environment("warn", settings.sandbox.mode), load, limit).await;
    match unit {
        Ok(unit) => {
            let what = format!(
                "package `{}` loads its {variant} model and infers on {provider} (nodes: {})",
                model.package(),
                unit.nodes()
            );
            Finding::of_model(Severity::Ok, "", &model.name, what)
        }
        Err(error) => Finding::of_model(Severity::Failed, "", &model.name, describe(&error)),
    }
}
