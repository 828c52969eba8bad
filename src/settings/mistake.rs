//! Mistakes in the settings, in words for the operator.

use crate::settings::place::Place;

/// A mistake in one setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The path of the file as given, `the variable <name>`, or `the defaults`.
    pub origin: String,
    /// The line in the file, counted from 1; `None` for what is not in a file, and for a whole file.
    pub line: Option<usize>,
    /// The full key, such as `mqtt.port` or `cameras[yard].fps`; empty if the whole file cannot be read.
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

impl Mistake {
    /// A mistake in the value of `key`.
    pub(super) fn at(place: &Place, key: impl Into<String>, what: impl Into<String>) -> Self {
        let (origin, line) = match place {
            Place::Line { file, line } => (file.clone(), Some(*line)),
            Place::Variable(name) => (format!("the variable {name}"), None),
            Place::Default => ("the defaults".to_owned(), None),
        };
        Self { origin, line, key: key.into(), what: what.into() }
    }

    /// A mistake in a file as a whole, or in one of its lines.
    pub(super) fn in_file(file: &std::path::Path, line: Option<usize>, what: impl Into<String>) -> Self {
        Self { origin: file.display().to_string(), line, key: String::new(), what: what.into() }
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        match self.key.is_empty() {
            true => write!(out, ": {}", self.what),
            false => write!(out, ": `{}`: {}", self.key, self.what),
        }
    }
}

/// All mistakes in the settings.
#[derive(Clone, Debug, Default, Eq, PartialEq, thiserror::Error)]
pub struct SettingsErrors(pub Vec<Mistake>);

impl std::fmt::Display for SettingsErrors {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.len() {
            1 => writeln!(out, "1 mistake in the settings:")?,
            mistakes => writeln!(out, "{mistakes} mistakes in the settings:")?,
        }
        self.0.iter().try_for_each(|mistake| writeln!(out, "  {mistake}"))?;
        write!(out, "`ocelli config default` prints every setting with its default.")
    }
}
