//! Collects mistakes. Has the checks that several sections share.

use crate::secret::{Credentials, SecretError};
use crate::settings::mistake::Finding;
use crate::vision::error_chain::describe;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// What was found so far: keys, and what is wrong with their values.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<(String, Finding)>,
}

impl Findings {
    pub(super) fn into_list(self) -> Vec<(String, Finding)> {
        self.found
    }

    pub(super) fn add(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.found.push((key.into(), Finding::Mistake(what.into())));
    }

    /// Adds the mistakes that a section reports itself, with the section's name before each key.
    pub(super) fn extend(&mut self, section: &str, mistakes: impl IntoIterator<Item = (String, String)>) {
        self.found.extend(mistakes.into_iter().map(|(key, what)| (format!("{section}.{key}"), what.into())));
    }

    /// Requires a value within a range. NaN is in no range.
    pub(super) fn range(&mut self, key: impl Into<String>, value: f64, least: f64, most: f64) {
        let key = key.into();
        self.found.push((key.clone(), Finding::Range { least, most }));
        if !(least..=most).contains(&value) {
            self.add(key, format!("is {value} but must be {least} to {most}"));
        }
    }

    /// Requires that all names in a list differ.
    pub(super) fn unique<'a>(&mut self, list: &str, key: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen: Vec<&str> = Vec::new();
        for (index, name) in names.enumerate() {
            if let Some(other) = seen.iter().position(|other| *other == name) {
                self.add(
                    format!("{list}[{index}].{key}"),
                    format!("`{name}` is also used by {list}[{other}]: give each entry its own {key}"),
                );
            }
            seen.push(name);
        }
    }

    pub(super) fn readable(&mut self, key: impl Into<String>, file: Option<&PathBuf>) {
        if let Some(file) = file
            && let Err(error) = std::fs::File::open(file)
        {
            self.add(key, unreadable(file, &error));
        }
    }

    /// Requires that the password can be read. `key` is that of the table.
    pub(super) fn credentials(&mut self, key: &str, credentials: &Credentials) {
        if let Err(error) = credentials.resolve_password() {
            self.secret(key, "password", &error);
        }
    }

    /// Adds what is wrong with a secret that may come from one of three places, `name`, `name_file` and `name_credential`.
    pub(super) fn secret(&mut self, table: &str, name: &str, error: &SecretError) {
        match error {
            SecretError::Unreadable { path, source } => {
                self.add(format!("{table}.{name}_file"), unreadable(path, source));
            }
            SecretError::NoCredential(_) => {
                let what =
                    format!("{}; for `ocelli check` in a shell: CREDENTIALS_DIRECTORY=DIRECTORY", describe(error));
                self.add(format!("{table}.{name}_credential"), what);
            }
            _ => self.add(table, describe(error)),
        }
    }
}

/// Why a file cannot be read, with the cure.
fn unreadable(file: &Path, error: &Error) -> String {
    let path = file.display();
    match error.kind() {
        ErrorKind::NotFound => format!("{path} does not exist"),
        ErrorKind::PermissionDenied => format!(
            "{path} may not be read by this user: the service may after `chgrp ocelli {path}; chmod 640 {path}`, you as root"
        ),
        _ => format!("{path} cannot be read: {error}"),
    }
}
