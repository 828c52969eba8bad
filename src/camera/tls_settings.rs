//! `tls` of a camera: which certificate of an `rtsps://` camera is trusted.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `tls` of a camera. At most one of its keys: without any, the authorities that the box knows sign it for its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraTlsSettings {
    /// False: any certificate is trusted, so whoever answers at the camera's address gets the login.
    pub verify: bool,
    /// The SHA-256 of the certificate in hexadecimal, with or without colons.
    pub fingerprint: Option<String>,
    /// Certificates of authorities (PEM) that sign the camera's, for its name.
    pub ca_file: Option<PathBuf>,
}

impl Default for CameraTlsSettings {
    fn default() -> Self {
        Self { verify: true, fingerprint: None, ca_file: None }
    }
}

impl CameraTlsSettings {
    /// The fingerprint in bytes; `None` if it is none.
    pub fn fingerprint_bytes(&self) -> Option<[u8; 32]> {
        let digits: String = self.fingerprint.as_deref()?.chars().filter(|letter| *letter != ':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        let of = |text: &str| {
            CameraTlsSettings { fingerprint: Some(text.into()), ..CameraTlsSettings::default() }.fingerprint_bytes()
        };
        assert_eq!(of(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(of(&vec!["0F"; 32].join(":")), Some([15; 32]));
        assert_eq!(of(&"0f".repeat(31)), None);
        assert_eq!(of(&"0g".repeat(32)), None);
        assert_eq!(of(&"ä".repeat(32)), None);
    }
}
