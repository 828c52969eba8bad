//! One line of a proposed manifest, and the origin of its value.

use crate::model::recognition::toml_value::TomlValue;

/// One line of a proposed manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The key in the manifest, without its section.
    pub key: &'static str,
    /// The proposed value.
    pub value: TomlValue,
    /// The reason for the value, as a comment. `None`: the file specifies it.
    pub note: Option<String>,
}

impl Setting {
    /// A value that the file specifies.
    pub(super) fn known(key: &'static str, value: impl Into<TomlValue>) -> Self {
        Self { key, value: value.into(), note: None }
    }

    /// A value that the file does not specify. The note starts with `assumed: `.
    pub(super) fn assumed(key: &'static str, value: impl Into<TomlValue>, why: impl std::fmt::Display) -> Self {
        Self { key, value: value.into(), note: Some(format!("assumed: {why}")) }
    }

    /// A value that follows from the file in a way that needs an explanation.
    pub(super) fn noted(key: &'static str, value: impl Into<TomlValue>, note: impl Into<String>) -> Self {
        Self { key, value: value.into(), note: Some(note.into()) }
    }
}
