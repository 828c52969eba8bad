//! Imports packages: copies each one, and loads it once in a unit before it may be started.

use crate::appliance::child_environment::child_environment;
use crate::appliance::package_loader::{load_model, public_reason};
use crate::catalog::arn::Resource;
use crate::catalog::import::copy_package;
use crate::catalog::{CatalogError, CatalogStore, Stage, Version};
use crate::control::{Command, Control, ImportJob};
use crate::ipc::child_process::own_binary;
use crate::settings::Settings;
use crate::supervisor::one_shot::OneShotUnit;
use crate::supervisor::pool::UnitBounds;
use crate::vision::error_chain::describe;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// Imports packages one by one until the job queue is closed.
pub(crate) async fn run(settings: Settings, catalog: CatalogStore, mut jobs: mpsc::Receiver<ImportJob>) {
    while let Some(ImportJob { version, source }) = jobs.recv().await {
        let target = catalog.package_directory(&version);
        let (copy_from, copy_to) = (source.clone(), target.clone());
        let copied = tokio::task::spawn_blocking(move || copy_package(&copy_from, &copy_to)).await;
        let result = match copied {
            Ok(Ok(())) => load_once(&settings, &target).await,
            Ok(Err(error)) => Err(describe(&error)),
            Err(error) => Err(describe(&error)),
        };
        match &result {
            Ok(()) => tracing::info!(%version, "a package was imported"),
            Err(reason) => {
                tracing::warn!(%version, reason, "a package could not be imported");
                let target = target.clone();
                drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(target)).await);
            }
        }
        let result = result.map_err(|reason| public_reason(&reason, &[&target, &source.root]));
        let named = version.clone();
        let kept = catalog.change(move |catalog, now| catalog.finish_version(&version, result, now)).await;
        if let Err(error) = kept
            && !matches!(error, CatalogError::NotFound(_))
        {
            tracing::error!(version = %named, %error, "the result of an import cannot be stored");
        }
    }
}

/// Loads a package in a separate unit with the usual sandbox. The unit also runs the canary test.
async fn load_once(settings: &Settings, package: &Path) -> Result<(), String> {
    let mut load = load_model(settings, &settings.default_model(), "");
    load.directory = package.to_owned();
    let environment = child_environment("warn", settings.sandbox.mode);
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    let loaded = OneShotUnit::start(own_binary(), environment, load, limit).await;
    loaded.map(drop).map_err(|error| describe(&error))
}

/// Starts the versions that were running when the daemon stopped. Models of the settings start by the plan.
pub async fn resume(control: Control) {
    let start = |(resource, version): (Resource, &Version)| {
        let units = version.units.filter(|_| version.is_wanted && version.stage != Stage::Configured)?;
        let bounds = UnitBounds { min: units.min, max: units.max };
        let (model, directory) = (CatalogStore::model_name(&resource), control.catalog.package_directory(&resource));
        Some(Command::RunPackage { model, directory, bounds })
    };
    let wanted: Vec<Command> = control.catalog.read(|catalog| catalog.versions().filter_map(start).collect());
    for command in wanted {
        let model = command.subject().to_owned();
        if let Err(error) = control.ask(command).await {
            tracing::error!(model, %error, "a version that was running before cannot be started");
        }
    }
}
