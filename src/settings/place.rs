//! Where a value of the settings comes from.

/// The place of a value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// A line of a file, counted from 1. The path is as given.
    Line {
        /// The path of the file.
        file: String,
        /// The line of the key.
        line: usize,
    },
    /// The name of an environment variable.
    Variable(String),
    /// Neither a file nor a variable sets the value.
    Default,
}

/// What the library writes for values from the environment.
const ENVIRONMENT: &str = "the environment";

impl Place {
    /// The place of the value of `key`, from the origin that the merged value carries: `file:line`, or the environment.
    pub(super) fn of_origin(origin: &str, key: &str) -> Self {
        if origin == ENVIRONMENT {
            return Self::Variable(format!("OCELLI_{}", key.to_ascii_uppercase().replace('.', "__")));
        }
        let parts = origin.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
        let (file, line) = parts.unwrap_or((origin, 1));
        Self::Line { file: file.to_owned(), line }
    }

    /// The origin that a merged value carries.
    pub(super) fn origin(file: &str, line: usize) -> String {
        format!("{file}:{line}")
    }
}

/// True if a merged value comes from an environment variable.
pub(super) fn is_variable(origin: Option<&str>) -> bool {
    origin == Some(ENVIRONMENT)
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line { file, line } => write!(out, "{file}:{line}"),
            Self::Variable(name) => out.write_str(name),
            Self::Default => out.write_str("default"),
        }
    }
}
