//! `ocelli user password`.

use crate::cli::camera::change;
use crate::cli::config_arguments::ConfigArguments;
use crate::cli::user::new_password::hash_of_new_password;
use crate::settings::editor::{Assignment, VIEWERS};
use crate::vision::error_chain::describe;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ocelli user password anna
  ocelli user password anna < password-file

The sessions of this person end with the next `ocelli reload`.

Exit codes: 0 changed, 1 refused, 2 the command line is wrong, 78 the settings would be wrong.")]
pub(in crate::cli) struct PasswordArguments {
    /// The person.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn password(arguments: &PasswordArguments) -> ExitCode {
    let PasswordArguments { name, config } = arguments;
    let hash = match hash_of_new_password(name) {
        Ok(hash) => hash,
        Err(error) => {
            eprintln!("ocelli: nothing was changed: {}", describe(&error));
            return ExitCode::FAILURE;
        }
    };
    let values = [Assignment::text("password_hash", hash.reveal()), Assignment::none("password_hash_file")];
    change(config, &format!("{name} has another password, in"), |editor| editor.set(VIEWERS, name, &values))
}
