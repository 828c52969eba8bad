//! `ocelli man-pages`: one page for `ocelli` and one for each command, from the definition that `--help` shows.

use crate::cli::config_arguments::print_failure;
use std::path::Path;
use std::process::ExitCode;

/// Writes `ocelli.1`, `ocelli-run.1`, `ocelli-model-add.1` and so on into `directory`. Hidden commands have none.
pub(super) fn write(command: clap::Command, directory: &Path) -> ExitCode {
    match clap_mangen::generate_to(command.disable_help_subcommand(true), directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_failure(&format!("cannot write man pages to {}: {error}", directory.display()));
            ExitCode::FAILURE
        }
    }
}
