//! Passwords of cameras as etcd keeps them: encrypted and authenticated with a key that only the boxes have.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. The names of cluster and camera and the camera's settings are
//! authenticated too: nobody who may write to etcd can have a password sent to another address.

use crate::secret::Secret;
use crate::vision::camera_id::CameraId;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// What is sealed of a camera.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, transparent)]
pub struct SealedPasswords(String);

/// The passwords of a camera's streams in clear.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OpenPasswords {
    /// That of `url`.
    pub main: Option<Secret>,
    /// That of `detect_url`, if it has one of its own.
    pub detect: Option<Secret>,
}

/// The key that all boxes of a cluster have.
pub struct ClusterKey {
    key: LessSafeKey,
    cluster: String,
}

impl std::fmt::Debug for ClusterKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ClusterKey").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// Why passwords cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there or not readable.
    #[error("the cluster's key {0} cannot be read")]
    Unreadable(std::path::PathBuf, #[source] std::io::Error),
    /// It is something else.
    #[error(
        "the cluster's key must be 64 hexadecimal digits: `ocelli cluster key` makes one, which all boxes then share"
    )]
    NoKey,
    /// The settings name none.
    #[error(
        "`cluster.key_file` is not set: a camera with a password needs it; `ocelli cluster key` makes a key, which all boxes share"
    )]
    NotSet,
    /// Another key, or other bytes.
    #[error(
        "the password of camera {0} was sealed with another key than that of this box, or it or the settings were changed in etcd"
    )]
    Wrong(CameraId),
    /// The kernel gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

/// A new key, as the key file has it.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_key() -> Result<String, KeyError> {
    let mut bytes = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::NoRandom)?;
    Ok(to_hex(&bytes))
}

impl ClusterKey {
    /// Reads the key of a cluster.
    ///
    /// # Errors
    /// When there is none, or it is no key.
    pub fn read(file: Option<&Path>, cluster: &str) -> Result<Self, KeyError> {
        let file = file.ok_or(KeyError::NotSet)?;
        let text = std::fs::read_to_string(file).map_err(|error| KeyError::Unreadable(file.to_owned(), error))?;
        Self::new(text.trim(), cluster)
    }

    fn new(text: &str, cluster: &str) -> Result<Self, KeyError> {
        let bytes = from_hex(text).filter(|bytes| bytes.len() == KEY_BYTES).ok_or(KeyError::NoKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| KeyError::NoKey)?;
        Ok(Self { key: LessSafeKey::new(key), cluster: cluster.to_owned() })
    }

    /// Seals the passwords of a camera with these settings; `None` if it has none.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(
        &self,
        (camera, settings): (&CameraId, &str),
        passwords: &OpenPasswords,
    ) -> Result<Option<SealedPasswords>, KeyError> {
        if *passwords == OpenPasswords::default() {
            return Ok(None);
        }
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        let clear = serde_json::json!([text(&passwords.main), text(&passwords.detect)]);
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| KeyError::NoRandom)?;
        let mut bytes = clear.to_string().into_bytes();
        let (aad, sealed) = (Aad::from(self.bound_to(camera, settings)), Nonce::assume_unique_for_key(nonce));
        self.key.seal_in_place_append_tag(sealed, aad, &mut bytes).map_err(|_| KeyError::NoRandom)?;
        Ok(Some(SealedPasswords(to_hex(&[nonce.as_slice(), &bytes].concat()))))
    }

    /// The passwords of a camera in clear.
    ///
    /// # Errors
    /// When they were sealed with another key, for another camera or other settings, or changed.
    pub fn open(
        &self,
        (camera, settings): (&CameraId, &str),
        sealed: &SealedPasswords,
    ) -> Result<OpenPasswords, KeyError> {
        let wrong = || KeyError::Wrong(camera.clone());
        let mut bytes = from_hex(&sealed.0).filter(|bytes| bytes.len() > NONCE_LEN).ok_or_else(wrong)?;
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| wrong())?;
        let clear = self.key.open_in_place(nonce, Aad::from(self.bound_to(camera, settings)), &mut sealed);
        let clear = clear.map_err(|_| wrong())?;
        let [main, detect]: [Option<String>; 2] = serde_json::from_slice(clear).map_err(|_| wrong())?;
        Ok(OpenPasswords { main: main.map(Secret::new), detect: detect.map(Secret::new) })
    }

    fn bound_to(&self, camera: &CameraId, settings: &str) -> Vec<u8> {
        format!("ocelli camera\n{}\n{camera}\n{settings}", self.cluster).into_bytes()
    }
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(id: &str) -> CameraId {
        CameraId::new(id).unwrap()
    }

    #[test]
    fn a_password_is_opened_by_the_same_key_for_the_same_camera_of_the_same_cluster_alone() {
        let text = new_key().unwrap();
        let key = ClusterKey::new(&text, "hall").unwrap();
        let passwords = OpenPasswords { main: Some(Secret::new("hunter2")), detect: None };
        let sealed = key.seal((&camera("yard"), "url"), &passwords).unwrap().unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("hunter2"));
        assert_eq!(key.open((&camera("yard"), "url"), &sealed).unwrap(), passwords);
        assert!(matches!(key.open((&camera("yard"), "rtsp://thief"), &sealed), Err(KeyError::Wrong(_))));
        assert!(matches!(key.open((&camera("door"), "url"), &sealed), Err(KeyError::Wrong(_))));
        for other in [ClusterKey::new(&text, "yard"), ClusterKey::new(&new_key().unwrap(), "hall")] {
            assert!(matches!(other.unwrap().open((&camera("yard"), "url"), &sealed), Err(KeyError::Wrong(_))));
        }
        let mut changed = sealed.0.clone();
        changed.replace_range(40..41, if &changed[40..41] == "0" { "1" } else { "0" });
        assert!(key.open((&camera("yard"), "url"), &SealedPasswords(changed)).is_err());
        assert!(key.open((&camera("yard"), "url"), &SealedPasswords("é0".into())).is_err());
        assert_eq!(key.seal((&camera("yard"), "url"), &OpenPasswords::default()).unwrap(), None);
        assert_ne!(
            key.seal((&camera("yard"), "url"), &passwords).unwrap(),
            Some(sealed),
            "each time with another nonce"
        );
    }

    #[test]
    fn what_is_no_key_is_told() {
        for text in ["", "00", "zz", &"0".repeat(63)] {
            assert!(matches!(ClusterKey::new(text, "hall"), Err(KeyError::NoKey)), "{text}");
        }
        assert!(matches!(ClusterKey::read(None, "hall"), Err(KeyError::NotSet)));
    }
}
