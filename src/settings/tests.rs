//! Settings from a text, for tests.

use super::*;
use std::collections::HashMap;

/// Reads a file with this text, in a directory of its own and without the environment.
fn load(text: &str) -> Result<Settings, SettingsErrors> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ocelli.toml");
    std::fs::write(&file, text).unwrap();
    Settings::load_with(&[file], HashMap::new())
}

/// The settings of a text without mistakes.
pub(crate) fn settings(text: &str) -> Settings {
    load(text).unwrap()
}

/// The mistakes in a text.
pub(crate) fn mistakes(text: &str) -> Vec<Mistake> {
    load(text).err().map(|SettingsErrors(mistakes)| mistakes).unwrap_or_default()
}
