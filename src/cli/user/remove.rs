//! `ocelli user remove`.

use crate::cli::camera::change;
use crate::cli::config_arguments::ConfigArguments;
use crate::settings::editor::VIEWERS;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli user remove anna

The sessions of this person end with the next `ocelli reload`.

Exit codes: 0 removed, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct RemoveArguments {
    /// The person.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn remove(arguments: &RemoveArguments) -> ExitCode {
    let done = format!("{} is removed from", arguments.name);
    change(&arguments.config, &done, |editor| editor.remove(VIEWERS, &arguments.name))
}
