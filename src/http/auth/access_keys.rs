//! `[[access_keys]]`: who may sign requests, and which operations they may call.

use crate::secret::{Secret, SecretError, SecretSource};
use serde::{Deserialize, Serialize};

/// Which operations the holder of a key may call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// All of them.
    Operator,
    /// `DetectCustomLabels` with the versions listed for the key, and reading the buckets listed for it.
    #[default]
    CameraClient,
    /// What a camera client may, and writing to the buckets listed for the key. Apart from an operator on purpose: who can
    /// put a package into a bucket must not be able to run it as well.
    BucketWriter,
}

/// Secrets of AWS have 40 bytes. An empty file must not become a secret.
const MIN_SECRET_BYTES: usize = 12;

/// One of `[[access_keys]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessKeySettings {
    /// The client's `aws_access_key_id`.
    pub access_key_id: String,
    /// The secret itself. Only the service may then be able to read the settings file.
    pub secret: Option<Secret>,
    /// A file that contains the secret and nothing else.
    pub secret_file: Option<std::path::PathBuf>,
    /// The name of a systemd credential that contains the secret.
    pub secret_credential: Option<String>,
    /// What its holder may do.
    pub role: Role,
    /// For a camera client: the versions that it may use, as `project/version` or `project/*`.
    pub versions: Vec<String>,
    /// For all but operators, who read every bucket: those that it may reach over S3.
    pub buckets: Vec<String>,
}

impl AccessKeySettings {
    /// Reads the secret.
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
        if secret.reveal().len() < MIN_SECRET_BYTES {
            return Err(SecretError::TooShort(MIN_SECRET_BYTES));
        }
        let (id, versions, buckets) = (self.access_key_id.clone(), self.versions.clone(), self.buckets.clone());
        Ok(AccessKey { id, secret, role: self.role, versions, buckets })
    }
}

/// A key with its secret, for checking signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessKey {
    /// Identifies the key in requests and in the log.
    pub id: String,
    /// The key of the signature.
    pub secret: Secret,
    /// What its holder may do.
    pub role: Role,
    versions: Vec<String>,
    buckets: Vec<String>,
}

impl AccessKey {
    /// True if its holder may call a detection with a version (`is_detection`), or any other operation.
    pub fn may(&self, is_detection: bool) -> bool {
        self.role == Role::Operator || is_detection
    }

    /// True if its holder may read the objects of a bucket.
    pub fn may_read(&self, bucket: &str) -> bool {
        self.role == Role::Operator || self.buckets.iter().any(|named| named == bucket)
    }

    /// True if its holder may write objects of a bucket.
    pub fn may_write(&self, bucket: &str) -> bool {
        self.role == Role::BucketWriter && self.may_read(bucket)
    }

    /// True if its holder may detect with this version.
    pub fn may_detect_with(&self, project: &str, version: &str) -> bool {
        let matches = |pattern: &String| match pattern.split_once('/') {
            Some((of, "*")) => of == project,
            Some((of, named)) => of == project && named == version,
            None => false,
        };
        self.role == Role::Operator || self.versions.iter().any(matches)
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
    fn a_camera_client_may_use_the_versions_of_its_key_only() {
        let client = key(Role::CameraClient, &["gate/v1", "yard/*"]);
        assert!(client.may_detect_with("gate", "v1") && client.may_detect_with("yard", "v7"));
        assert!(!client.may_detect_with("gate", "v2") && !client.may_detect_with("gat", "v1"));
        assert!(key(Role::Operator, &[]).may_detect_with("gate", "v2"));
    }

    #[test]
    fn only_a_writer_writes_and_only_to_its_buckets() {
        let of = |role| AccessKey { buckets: vec!["yard".into()], ..key(role, &[]) };
        let reads = |role| (of(role).may_read("yard"), of(role).may_read("models"));
        let writes = |role| (of(role).may_write("yard"), of(role).may_write("models"));
        assert_eq!((reads(Role::Operator), writes(Role::Operator)), ((true, true), (false, false)));
        assert_eq!((reads(Role::CameraClient), writes(Role::CameraClient)), ((true, false), (false, false)));
        assert_eq!((reads(Role::BucketWriter), writes(Role::BucketWriter)), ((true, false), (true, false)));
        assert!(!of(Role::BucketWriter).may(false) && of(Role::BucketWriter).may(true));
    }

    #[test]
    fn a_key_without_a_usable_secret_is_refused() {
        assert!(AccessKeySettings::default().resolve().is_err());
        for secret in ["", "short"] {
            let settings = AccessKeySettings { secret: Some(Secret::new(secret)), ..AccessKeySettings::default() };
            assert!(matches!(settings.resolve(), Err(SecretError::TooShort(_))), "{secret}");
        }
    }
}
