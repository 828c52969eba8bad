//! `[[viewers]]`: the people who may look at the page, and who of them may change something.

use crate::http::login::password::{HashError, check_hash};
use crate::secret::{Secret, SecretError, SecretSource};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a person may do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewerRole {
    /// Look at everything.
    #[default]
    Viewer,
    /// Change things as well.
    Operator,
}

impl ViewerRole {
    /// The word in settings and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

/// Names that say in the record of accesses that somebody came without one.
const TAKEN: [&str; 4] = ["anyone", "link", "socket", "token"];

/// The longest name.
pub(super) const MAX_NAME: usize = 64;

/// Judges the name of a viewer, which becomes part of a file's name.
///
/// # Errors
/// What a name may be.
pub fn judge_name(name: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_allowed) {
        return Err(format!("must be 1 to {MAX_NAME} letters, digits, `-`, `_`, `.` and `@`"));
    }
    if TAKEN.contains(&name) {
        return Err(format!("`{name}` has a meaning of its own in the record of accesses: choose another name"));
    }
    Ok(())
}

/// One of `[[viewers]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewerSettings {
    /// Who it is.
    pub name: String,
    /// What this person may do.
    pub role: ViewerRole,
    /// The Argon2id hash of the password, `$argon2id$v=19$...`, as `ocelli user add` writes it.
    pub password_hash: Option<Secret>,
    /// A file that contains the hash and nothing else.
    pub password_hash_file: Option<PathBuf>,
}

/// Why nobody could log in under a name.
#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    /// No hash is named.
    #[error(
        "needs `password_hash` or `password_hash_file`: `ocelli user add NAME` asks for the password and writes the hash"
    )]
    Missing,
    /// Two are named.
    #[error("set only one of `password_hash` and `password_hash_file`")]
    Ambiguous,
    /// The file cannot be read.
    #[error(transparent)]
    File(SecretError),
    /// It is no hash, or one that the box does not compute.
    #[error(transparent)]
    Hash(#[from] HashError),
}

impl ViewerSettings {
    /// Reads the hash.
    ///
    /// # Errors
    /// [`ViewerError`] when there is not exactly one, or when it is none that can be checked.
    pub fn resolve(&self) -> Result<Viewer, ViewerError> {
        let file = self.password_hash_file.as_deref();
        let source = SecretSource { inline: self.password_hash.as_ref(), file, credential: None };
        let hash = match source.resolve() {
            Ok(hash) => hash.ok_or(ViewerError::Missing)?,
            Err(SecretError::Ambiguous) => return Err(ViewerError::Ambiguous),
            Err(error) => return Err(ViewerError::File(error)),
        };
        check_hash(&hash)?;
        Ok(Viewer { name: self.name.clone(), role: self.role, hash })
    }
}

/// A person with the hash of the password.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    /// Who it is.
    pub name: String,
    /// What this person may do.
    pub role: ViewerRole,
    /// The hash in PHC form.
    pub hash: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_has_exactly_one_hash_that_can_be_checked() {
        let hash = crate::http::login::password::hash(&Secret::new("correct horse battery")).unwrap();
        let of = |password_hash: Option<Secret>, password_hash_file: Option<PathBuf>| {
            ViewerSettings { name: "anna".into(), password_hash, password_hash_file, ..ViewerSettings::default() }
                .resolve()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{}\n", hash.reveal())).unwrap();
        let read = of(None, Some(file.path().into())).unwrap();
        assert_eq!(of(Some(hash.clone()), None).unwrap(), read);
        assert!(matches!(of(None, None), Err(ViewerError::Missing)));
        assert!(matches!(of(Some(hash), Some(file.path().into())), Err(ViewerError::Ambiguous)));
        assert!(matches!(of(None, Some("/nowhere".into())), Err(ViewerError::File(_))));
        assert!(matches!(of(Some(Secret::new("a plain password")), None), Err(ViewerError::Hash(_))));
    }

    #[test]
    fn a_name_is_no_path_and_no_word_of_the_record() {
        for good in ["anna", "Anna-2", "anna.b@example.org"] {
            assert_eq!(judge_name(good), Ok(()), "{good}");
        }
        for bad in ["", "a/b", "a b", "ännä", "link", "token", &"x".repeat(65)] {
            assert!(judge_name(bad).is_err(), "{bad}");
        }
    }
}
