//! One line of a proposed manifest, and where its value comes from.

use crate::model::recognition::toml_value::TomlValue;

/// One line of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// As the manifest spells it.
    pub key: &'static str,
    /// What it is set to.
    pub value: TomlValue,
    /// Why, where the file does not say it.
    pub note: Option<String>,
}

impl Setting {
    /// What the file says.
    pub(super) fn known(key: &'static str, value: impl Into<TomlValue>) -> Self {
        Self { key, value: value.into(), note: None }
    }

    /// What the file does not say.
    pub(super) fn assumed(key: &'static str, value: impl Into<TomlValue>, why: impl std::fmt::Display) -> Self {
        Self { key, value: value.into(), note: Some(format!("assumed: {why}")) }
    }

    /// What follows from something that is not obvious.
    pub(super) fn noted(key: &'static str, value: impl Into<TomlValue>, note: impl Into<String>) -> Self {
        Self { key, value: value.into(), note: Some(note.into()) }
    }
}
