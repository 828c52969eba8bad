//! The id of a camera. It is used in topics, metric labels and log lines, so its alphabet is small.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A camera's id, `[a-z0-9_-]{1,64}` (the MQTT contract).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CameraId(Arc<str>);

/// The text is not a valid id. Holds the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not an id: use 1 to 64 of a-z, 0-9, `_` and `-`")]
pub struct InvalidId(String);

/// True if `text` consists of 1 to 64 of `a-z`, `0-9`, `_` and `-`.
pub fn is_valid_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

impl CameraId {
    /// Checks the alphabet and the length.
    ///
    /// # Errors
    /// [`InvalidId`] when `text` has another character or length.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        if is_valid_id(&text) { Ok(Self(text.into())) } else { Err(InvalidId(text)) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CameraId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl From<CameraId> for String {
    fn from(id: CameraId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl std::fmt::Display for CameraId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CameraId;

    #[test]
    fn an_id_has_only_the_contracts_alphabet() {
        for good in ["yard", "gate-1", "a_b", "0"] {
            assert!(CameraId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Yard", "a/b", "a b", "é", "+", &"a".repeat(65)] {
            assert!(CameraId::new(bad).is_err(), "{bad}");
        }
    }
}
