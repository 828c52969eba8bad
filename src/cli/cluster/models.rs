//! `ocelli cluster models`.

use crate::cli::config_arguments::{ConfigArguments, with_settings};
use crate::cli::live_view::print_line;
use crate::cluster::Operator;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  ocelli cluster status
  ocelli cluster models release coco-ssd

Exit codes: 0 done, 1 refused or etcd does not answer, 78 the settings are wrong.")]
pub(in crate::cli) enum ModelsCommand {
    /// Want nothing of a model until the next command: each box keeps the units that it has, and its settings count again.
    Release {
        /// The model's name in `[[models]]` of the settings.
        model: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

pub(super) fn models(command: &ModelsCommand) -> ExitCode {
    let ModelsCommand::Release { model, config } = command;
    with_settings(config, async |settings| {
        Operator::connect(&settings.cluster).await?.release_model(model).await?;
        print_line(&format!("{model}: each box runs it by itself until the next command"));
        Ok(())
    })
}
