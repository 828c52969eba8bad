//! `ocelli user add`.

use crate::cli::camera::change;
use crate::cli::config_arguments::ConfigArguments;
use crate::cli::user::new_password::hash_of_new_password;
use crate::http::login::viewer::{ViewerRole, judge_name};
use crate::settings::editor::{Assignment, VIEWERS};
use crate::vision::error_chain::describe;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli user add anna
  ocelli user add bert --role operator
  ocelli user add anna < password-file

It asks for the password twice and does not show it; without a terminal the password is the first line of standard input. Its
hash is written to <state_directory>/settings.d/viewer-<name>.toml, which only the service and root may read.

Exit codes: 0 added, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct AddArguments {
    /// The name to log in with: 1 to 64 letters, digits, `-`, `_`, `.` and `@`.
    #[arg(value_name = "NAME", value_parser = parse_name)]
    name: String,
    /// viewer: may look at everything; operator: may change things as well.
    #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = parse_role)]
    role: ViewerRole,
    #[command(flatten)]
    config: ConfigArguments,
}

fn parse_name(text: &str) -> Result<String, String> {
    judge_name(text).map(|()| text.to_owned())
}

/// A role of the command line.
pub(in crate::cli) fn parse_role(text: &str) -> Result<ViewerRole, String> {
    let roles = [ViewerRole::Viewer, ViewerRole::Operator];
    roles.into_iter().find(|role| role.name() == text).ok_or_else(|| "must be viewer or operator".to_owned())
}

pub(super) fn add(arguments: &AddArguments) -> ExitCode {
    let AddArguments { name, role, config } = arguments;
    let hash = match hash_of_new_password(name) {
        Ok(hash) => hash,
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    let values = [Assignment::text("role", role.name()), Assignment::text("password_hash", hash.reveal())];
    let done = format!("{name} is added as {}, in", role.name());
    change(config, &done, |editor| editor.add(VIEWERS, name, &values))
}
