//! `ocelli camera set`.

use crate::cli::camera::change::change;
use crate::cli::config_arguments::ConfigArguments;
use crate::settings::editor::{Assignment, CAMERAS};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli camera set yard fps=10
  ocelli camera set yard scene.labels='[\"person\", \"car\"]' scene.thresholds.person=0.6
  ocelli camera set yard enabled=false
  ocelli camera set yard model=          # its default again

Keys are those of [[cameras]]: see `ocelli config default`. The file that has the camera is changed, and keeps its comments.
Settings in /etc can be changed by root only.

Exit codes: 0 changed, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct SetArguments {
    /// The camera.
    #[arg(value_name = "ID")]
    id: String,
    /// The value is one of TOML, or text without quotes. Without a value the key is removed.
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = Assignment::parse)]
    values: Vec<Assignment>,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn set(arguments: &SetArguments) -> ExitCode {
    let done = format!("Camera {} is changed, in", arguments.id);
    change(&arguments.config, &done, |editor| editor.set(CAMERAS, &arguments.id, &arguments.values))
}
