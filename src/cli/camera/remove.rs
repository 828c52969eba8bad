//! `ocelli camera remove`.

use crate::cli::camera::change::change;
use crate::cli::config_arguments::ConfigArguments;
use crate::settings::editor::CAMERAS;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli camera remove yard
  ocelli camera set yard enabled=false   # keep its settings

Settings in /etc can be changed by root only.

Exit codes: 0 removed, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct RemoveArguments {
    /// The camera.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn remove(arguments: &RemoveArguments) -> ExitCode {
    let done = format!("Camera {} is removed from", arguments.id);
    change(&arguments.config, &done, |editor| editor.remove(CAMERAS, &arguments.id))
}
