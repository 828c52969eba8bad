//! What computes a model whose execution provider is chosen by measurement: what the daemon has chosen, or measured now.

use crate::appliance::{engine_terms, known_choice, load_model, room};
use crate::cli::plan::arguments::PlanArguments;
use crate::engine_choice::{Choice, measure_all};
use crate::model::package::Package;
use crate::settings::Settings;
use crate::supervisor::settings::ModelSettings;
use crate::vision::error_chain::describe;
use indicatif::ProgressBar;
use std::time::Duration;

/// The model of the settings that is measured, and the name of its package.
pub(super) fn model_of(settings: &Settings, arguments: &PlanArguments) -> (ModelSettings, String) {
    let wanted = arguments.model.as_deref();
    let is_wanted = |model: &&ModelSettings| wanted.is_some_and(|wanted| model.package() == wanted);
    let model = settings.models.iter().find(is_wanted).cloned().unwrap_or_else(|| settings.default_model());
    let package = wanted.unwrap_or_else(|| model.package()).to_owned();
    (model, package)
}

/// The engine that is chosen; `None` if settings or command line name the provider.
///
/// # Errors
/// When the package cannot be read, or nothing can be compared.
pub(super) async fn choose(settings: &Settings, arguments: &PlanArguments) -> Result<Option<Choice>, String> {
    let (model, name) = model_of(settings, arguments);
    if arguments.execution_provider.is_some() || model.execution_provider.named().is_some() {
        return Ok(None);
    }
    let package = Package::load(&settings.units.models_directory, &name, &name).map_err(|error| describe(&error))?;
    if let Some(choice) = known_choice(settings, &model, &package) {
        return Ok(Some(choice));
    }
    let load = load_model(settings, &model, &name);
    let Some(terms) = engine_terms(settings, &model, &package, &load) else { return Ok(None) };
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(200));
    let next = |engine| progress.set_message(format!("trying {engine}"));
    let choice = measure_all(&terms.bench, terms.wanted, room(&terms), next).await;
    progress.finish_and_clear();
    choice.map(Some)
}
