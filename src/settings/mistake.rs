//! Mistakes in the settings, in words for the operator.

/// A mistake in one setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The file, or `the environment`.
    pub origin: String,
    /// The full key, such as `mqtt.port` or `cameras[1].fps`; empty if the whole file cannot be read.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// What a check says of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// What is wrong with its value.
    Mistake(String),
    /// The range of its value, for the description of one that is no number at all, or too large for its type.
    Range {
        /// The lowest permitted value.
        least: f64,
        /// The highest permitted value.
        most: f64,
    },
}

impl From<String> for Finding {
    fn from(what: String) -> Self {
        Self::Mistake(what)
    }
}

impl From<&str> for Finding {
    fn from(what: &str) -> Self {
        Self::Mistake(what.to_owned())
    }
}

/// All mistakes in the settings.
#[derive(Clone, Debug, Default, Eq, PartialEq, thiserror::Error)]
pub struct SettingsErrors(pub Vec<Mistake>);

impl std::fmt::Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { origin, key, what } = self;
        let key = if key.is_empty() { String::new() } else { format!("`{key}`: ") };
        write!(out, "{origin}: {key}{what}")
    }
}

impl std::fmt::Display for SettingsErrors {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.len() {
            1 => writeln!(out, "1 mistake in the settings:")?,
            mistakes => writeln!(out, "{mistakes} mistakes in the settings:")?,
        }
        for mistake in &self.0 {
            writeln!(out, "  {mistake}")?;
        }
        write!(out, "See configs/ocelli.toml for every setting and its default.")
    }
}
