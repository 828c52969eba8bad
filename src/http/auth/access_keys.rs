//! `[[access_keys]]`: who may sign requests, and what they may ask for.

use crate::secret::{Secret, SecretError, SecretSource};
use serde::{Deserialize, Serialize};

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything.
    Operator,
    /// Have pictures looked at, by named versions.
    #[default]
    CameraClient,
}

/// AWS's own have 40; an empty file must not become a key.
const LEAST_SECRET_BYTES: usize = 12;

/// One of `[[access_keys]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessKeySettings {
    /// As in the client's `aws_access_key_id`.
    pub access_key_id: String,
    /// Inline; the settings file must then be readable by the service alone.
    pub secret: Option<Secret>,
    /// A file that holds the secret and nothing else.
    pub secret_file: Option<std::path::PathBuf>,
    /// The name of a systemd credential.
    pub secret_credential: Option<String>,
    /// What its holder may do.
    pub role: Role,
    /// For a camera client: the versions it may use, as `project/version` or `project/*`.
    pub versions: Vec<String>,
}

impl AccessKeySettings {
    /// The key with its secret.
    ///
    /// # Errors
    /// [`SecretError`] when no source, or more than one, gives a secret.
    pub fn resolve(&self) -> Result<AccessKey, SecretError> {
        let source = SecretSource {
            inline: self.secret.as_ref(),
            file: self.secret_file.as_deref(),
            credential: self.secret_credential.as_deref(),
        };
        let secret = source.resolve()?.ok_or(SecretError::Missing)?;
        if secret.reveal().len() < LEAST_SECRET_BYTES {
            return Err(SecretError::TooShort(LEAST_SECRET_BYTES));
        }
        Ok(AccessKey { id: self.access_key_id.clone(), secret, role: self.role, versions: self.versions.clone() })
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Names it in requests and in the log.
    pub id: String,
    /// Signs.
    pub secret: Secret,
    /// What its holder may do.
    pub role: Role,
    versions: Vec<String>,
}

impl AccessKey {
    /// True if its holder may do what is a detection with a named version, or (`false`) is not.
    pub fn may(&self, is_detection: bool) -> bool {
        self.role == Role::Operator || is_detection
    }

    /// True if its holder may have pictures looked at by this version.
    pub fn may_detect_with(&self, project: &str, version: &str) -> bool {
        let is_named = |pattern: &String| match pattern.split_once('/') {
            Some((of, "*")) => of == project,
            Some((of, named)) => of == project && named == version,
            None => false,
        };
        self.role == Role::Operator || self.versions.iter().any(is_named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(role: Role, versions: &[&str]) -> AccessKey {
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        let settings = AccessKeySettings {
            access_key_id: "AKIDEXAMPLE".into(),
            secret: Some(Secret::new("secretexample")),
            role,
            versions,
            ..AccessKeySettings::default()
        };
        settings.resolve().unwrap()
    }

    #[test]
    fn a_camera_client_may_use_the_versions_it_was_given() {
        let client = key(Role::CameraClient, &["gate/v1", "yard/*"]);
        assert!(client.may_detect_with("gate", "v1") && client.may_detect_with("yard", "v7"));
        assert!(!client.may_detect_with("gate", "v2") && !client.may_detect_with("gat", "v1"));
        assert!(key(Role::Operator, &[]).may_detect_with("gate", "v2"));
    }

    #[test]
    fn a_key_without_a_secret_is_none() {
        assert!(AccessKeySettings::default().resolve().is_err());
        for secret in ["", "short"] {
            let settings = AccessKeySettings { secret: Some(Secret::new(secret)), ..AccessKeySettings::default() };
            assert!(matches!(settings.resolve(), Err(SecretError::TooShort(_))), "{secret}");
        }
    }
}
