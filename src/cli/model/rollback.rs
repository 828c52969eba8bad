//! `ocelli model rollback`.

use crate::cli::config_arguments::{ConfigArguments, conclude, load_settings};
use crate::cli::live_view::print_line;
use crate::model_store::Store;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli model rollback yard
  ocelli model rollback yard && ocelli ctl swap yard --package yard --wait

The present package is kept in its place: a second rollback undoes the first.")]
pub(in crate::cli) struct RollbackArguments {
    /// The package.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn rollback(arguments: &RollbackArguments) -> ExitCode {
    let settings = match load_settings(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let name = &arguments.name;
    let store = Store::new(&settings.units.models_directory);
    let result = store.change().and_then(|changes| changes.roll_back(name)).map(|version| {
        print_line(&format!("The package {name} is at version {version} again."));
        print_line(&format!("To make a running daemon use it: ocelli ctl swap MODEL --package {name}"));
    });
    conclude(result.map_err(Into::into))
}
