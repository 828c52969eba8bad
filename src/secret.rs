//! A value that must never be printed, and where it may come from.

use serde::{Deserialize, Serialize, Serializer};
use std::path::{Path, PathBuf};

/// A password or key. Debug, Display and serialisation show `***`.
#[derive(Clone, Default, Eq, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a value in.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// User and password of a camera or broker. The password comes from exactly one of three places.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Empty: no authentication.
    pub user: Option<String>,
    /// Inline; the settings file must then be readable by the service alone.
    pub password: Option<Secret>,
    /// A file that holds the password and nothing else; a final line break is ignored.
    pub password_file: Option<PathBuf>,
    /// The name of a systemd credential (`LoadCredential=`).
    pub password_credential: Option<String>,
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// More than one source is named.
    #[error("set only one of the inline value, the `_file` and the `_credential`")]
    Ambiguous,
    /// It can be guessed.
    #[error("the secret must have at least {0} characters")]
    TooShort(usize),
    /// None is named where one is needed.
    #[error("the secret is missing: name it inline, as a file or as a systemd credential")]
    Missing,
    /// The file is not there or not readable.
    #[error("the secret's file {path} cannot be read")]
    Unreadable {
        /// The file as the settings name it.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// systemd handed no credentials over.
    #[error("the credential `{0}` is not there: start the service with LoadCredential={0}:PATH")]
    NoCredential(String),
}

impl Credentials {
    /// Fetches the password; `None` when no source is named.
    ///
    /// # Errors
    /// [`SecretError`] when the named source does not give one.
    pub fn resolve_password(&self) -> Result<Option<Secret>, SecretError> {
        let source = SecretSource {
            inline: self.password.as_ref(),
            file: self.password_file.as_deref(),
            credential: self.password_credential.as_deref(),
        };
        source.resolve()
    }
}

/// The places a secret may come from; at most one is to be named.
#[derive(Clone, Copy, Debug)]
pub struct SecretSource<'a> {
    /// In the settings themselves.
    pub inline: Option<&'a Secret>,
    /// A file that holds it and nothing else.
    pub file: Option<&'a Path>,
    /// The name of a systemd credential.
    pub credential: Option<&'a str>,
}

impl SecretSource<'_> {
    /// Fetches the secret; `None` when no source is named.
    ///
    /// # Errors
    /// [`SecretError`] when the named source does not give one.
    pub fn resolve(&self) -> Result<Option<Secret>, SecretError> {
        match (self.inline, self.file, self.credential) {
            (None, None, None) => Ok(None),
            (Some(secret), None, None) => Ok(Some(secret.clone())),
            (None, Some(path), None) => read(path).map(Some),
            (None, None, Some(name)) => {
                let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
                let directory = directory.ok_or_else(|| SecretError::NoCredential(name.to_owned()))?;
                read(&Path::new(&directory).join(name)).map(Some)
            }
            _ => Err(SecretError::Ambiguous),
        }
    }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| SecretError::Unreadable { path: path.to_owned(), source })?;
    Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_nowhere() {
        let secret = Secret::new("hunter2");
        let shown = format!("{secret:?} {secret} {}", serde_json::to_string(&secret).unwrap());
        assert!(!shown.contains("hunter2"));
    }

    #[test]
    fn a_password_file_gives_its_content_without_the_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret \n").unwrap();
        let credentials = Credentials { password_file: Some(file.path().into()), ..Credentials::default() };
        assert_eq!(credentials.resolve_password().unwrap().unwrap().reveal(), "s3cret ");
    }

    #[test]
    fn two_sources_are_refused() {
        let credentials = Credentials {
            password: Some(Secret::new("a")),
            password_credential: Some("b".into()),
            ..Credentials::default()
        };
        assert!(matches!(credentials.resolve_password(), Err(SecretError::Ambiguous)));
    }
}
