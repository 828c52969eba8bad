//! `ocelli camera`: manages the cameras in the settings.

mod add;
mod change;
mod list;
mod remove;
mod set;

use clap::Subcommand;
use std::process::ExitCode;

pub(super) use change::{TO_APPLY, attempt, change};

#[derive(Debug, Subcommand)]
pub(super) enum CameraCommand {
    /// Add a camera, in a file of its own in the state directory.
    Add(add::AddArguments),
    /// Change settings of a camera, in the file that has it.
    Set(set::SetArguments),
    /// Remove a camera from the settings.
    Remove(remove::RemoveArguments),
    /// List the cameras, with the file and line of each.
    List(list::ListArguments),
}

pub(super) fn camera(command: &CameraCommand) -> ExitCode {
    match command {
        CameraCommand::Add(arguments) => add::add(arguments),
        CameraCommand::Set(arguments) => set::set(arguments),
        CameraCommand::Remove(arguments) => remove::remove(arguments),
        CameraCommand::List(arguments) => list::list(arguments),
    }
}
