//! `labels.txt`: one class a line, the first is class 0.

use crate::vision::detection::ClassIndex;
use std::path::{Path, PathBuf};

/// The names of a model's classes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Labels(Vec<String>);

/// Why there are no labels.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file is not there or not readable.
    #[error("the labels {path} cannot be read")]
    Unreadable {
        /// The file of labels.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
    /// A file without classes.
    #[error("the labels {0} are empty: write one class a line")]
    Empty(PathBuf),
}

impl Labels {
    /// Reads `labels.txt` in a model's directory.
    ///
    /// # Errors
    /// [`LabelsError`] naming the file.
    pub fn load(directory: &Path) -> Result<Self, LabelsError> {
        Self::read(&directory.join("labels.txt"))
    }

    /// Reads a file of labels, whatever its name.
    ///
    /// # Errors
    /// [`LabelsError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, LabelsError> {
        let path = path.to_owned();
        let text =
            std::fs::read_to_string(&path).map_err(|source| LabelsError::Unreadable { path: path.clone(), source })?;
        let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        if names.iter().all(String::is_empty) {
            return Err(LabelsError::Empty(path));
        }
        Ok(Self(names))
    }

    /// Every name that there is.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The name of a class; `unknown` for one that the file does not name.
    pub fn name(&self, class: ClassIndex) -> &str {
        match self.0.get(usize::from(class.0)) {
            Some(name) if !name.is_empty() => name,
            _ => "unknown",
        }
    }

    /// The class of a name.
    pub fn class(&self, name: &str) -> Option<ClassIndex> {
        let position = self.0.iter().position(|known| known == name && !known.is_empty())?;
        u16::try_from(position).ok().map(ClassIndex)
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
