//! `ocelli config show`.

use crate::cli::config_arguments::{ConfigArguments, EXIT_SETTINGS};
use crate::cli::live_view::print_line;
use crate::settings::{InForce, environment};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli config show
  ocelli config show --config my.toml | grep -v '# default'
  ocelli config show --json | jq '.[] | select(.from == \"environment\")'

The text is TOML. What is not set and has no default is left out; with --json it is null. Read as root or as the user of the
service: `ocelli camera` keeps cameras in the state directory.

Exit codes: 0 shown, 78 the settings are wrong, and then nothing is in force.")]
pub(in crate::cli) struct ShowArguments {
    /// Print one JSON array: key, value, from (file, environment or default), file, line, variable.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn show(arguments: &ShowArguments) -> ExitCode {
    match InForce::read(&arguments.config.files(), environment()) {
        Ok(in_force) => {
            let text = if arguments.json { in_force.to_json().to_string() } else { in_force.to_string() };
            print_line(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::from(EXIT_SETTINGS)
        }
    }
}
