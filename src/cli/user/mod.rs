//! `ocelli user`: manages the people who may log in at the page.

mod add;
mod list;
mod new_password;
mod password;
mod remove;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a person, in a file of its own in the state directory.
    Add(add::AddArguments),
    /// Give a person another password.
    Password(password::PasswordArguments),
    /// Remove a person from the settings.
    Remove(remove::RemoveArguments),
    /// List the people, with the file and line of each.
    List(list::ListArguments),
}

pub(super) fn user(command: &UserCommand) -> ExitCode {
    match command {
        UserCommand::Add(arguments) => add::add(arguments),
        UserCommand::Password(arguments) => password::password(arguments),
        UserCommand::Remove(arguments) => remove::remove(arguments),
        UserCommand::List(arguments) => list::list(arguments),
    }
}
