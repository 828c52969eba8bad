//! `ocelli config`: shows the settings.

mod show;

use crate::cli::live_view::print_line;
use crate::settings::REFERENCE;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show what is in force: each setting with the file and line, or the variable, that sets it. Secrets are masked.
    Show(show::ShowArguments),
    /// Print the reference: every setting with its default and the reason for it.
    #[command(after_help = "Examples:
  ocelli config default | less
  ocelli config default >my.toml

Exit codes: 0 printed.")]
    Default,
}

pub(super) fn config(command: &ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Show(arguments) => show::show(arguments),
        ConfigCommand::Default => {
            print_line(REFERENCE.trim_end());
            ExitCode::SUCCESS
        }
    }
}
