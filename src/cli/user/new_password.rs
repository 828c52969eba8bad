//! Asks for a new password: twice at a terminal, else it is the first line of standard input.

use crate::http::login::password::{self, MIN_PASSWORD_CHARACTERS, PasswordError};
use crate::os::password_prompt;
use crate::secret::Secret;
use std::io;

/// Why there is no new password.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewPasswordError {
    /// Nothing can be read.
    #[error("the password cannot be read: {0}")]
    Input(#[from] io::Error),
    /// The two are not the same.
    #[error("the two passwords differ")]
    Differ,
    /// It is not fit for one.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// The hash of the new password of `name`.
pub(super) fn hash_of_new_password(name: &str) -> Result<Secret, NewPasswordError> {
    let password = match password_prompt::is_typed() {
        true => {
            let question = format!("Password for {name} (at least {MIN_PASSWORD_CHARACTERS} characters)");
            let first = Secret::new(password_prompt::ask(&question)?);
            password::judge(&first)?;
            if password_prompt::ask("Once more")? != first.reveal() {
                return Err(NewPasswordError::Differ);
            }
            first
        }
        false => Secret::new(password_prompt::read_line()?),
    };
    Ok(password::hash(&password)?)
}
