//! `ocelli model remove`.

use crate::appliance::swapped_package;
use crate::cli::config_arguments::{ConfigArguments, conclude, load_settings};
use crate::cli::live_view::print_line;
use crate::model_store::{Store, StoreError};
use crate::settings::Settings;
use std::error::Error;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model remove yard
  ocelli model remove yard --all

Exit codes: 0 removed, 1 refused, 78 the settings are wrong.")]
pub(in crate::cli) struct RemoveArguments {
    /// The package.
    #[arg(value_name = "NAME")]
    name: String,
    /// Remove the previous packages as well: there is nothing to roll back to then.
    #[arg(long)]
    all: bool,
    /// Remove it even if the settings use it.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn remove(arguments: &RemoveArguments) -> ExitCode {
    match load_settings(&arguments.config) {
        Ok(settings) => conclude(try_remove(&settings, arguments)),
        Err(code) => code,
    }
}

fn try_remove(settings: &Settings, arguments: &RemoveArguments) -> Result<(), Box<dyn Error>> {
    let name = &arguments.name;
    if let Some(user) = user_of(settings, name).filter(|_| !arguments.force) {
        return Err(format!("{user}: change that first, or use --force").into());
    }
    let store = Store::new(&settings.units.models_directory);
    // Checked before the lock is taken, which would create the directory of packages.
    if !store.place(name)?.exists() && !arguments.all {
        let directory = settings.units.models_directory.clone();
        return Err(StoreError::Missing { name: name.clone(), directory }.into());
    }
    store.change()?.remove(name, arguments.all)?;
    print_line(&format!("The package {name} is removed."));
    if let Some(left) = store.list()?.iter().find(|listed| listed.name == *name) {
        let count = left.previous.len();
        print_line(&format!(
            "Previous packages that are kept: {count}. ocelli model rollback {name}, or remove {name} --all"
        ));
    }
    Ok(())
}

/// What uses a package.
fn user_of(settings: &Settings, package: &str) -> Option<String> {
    let by_settings = settings.models.iter().find(|model| model.package() == package);
    if let Some(model) = by_settings {
        return Some(format!("`{package}` is the package of `{}` in [[models]] of the settings", model.name));
    }
    let is_swapped = |model: &&_| swapped_package(settings, model).as_deref() == Some(package);
    let model = settings.models.iter().find(is_swapped)?;
    Some(format!("`{package}` is the package that a swap has given to the model `{}`", model.name))
}
