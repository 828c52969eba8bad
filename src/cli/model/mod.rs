//! `ocelli model`: models as files, before they run.

mod inspect;
mod report;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Say what an ONNX file is, which layout it has, and propose a manifest for it.
    Inspect(inspect::InspectArguments),
}

pub(super) fn model(command: &ModelCommand) -> ExitCode {
    match command {
        ModelCommand::Inspect(arguments) => inspect::inspect(arguments),
    }
}
