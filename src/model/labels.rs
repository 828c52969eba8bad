//! `labels.txt`: one class per line; the first line is class 0.

use crate::vision::detection::ClassIndex;
use std::path::{Path, PathBuf};

/// The names of a model's classes. An empty line is a class without a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Labels(Vec<String>);

/// Why the labels cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file is missing or cannot be read.
    #[error("the labels {path} cannot be read")]
    Unreadable {
        /// The file of labels.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// No line has a name. Holds the file.
    #[error("the labels {0} are empty: write one class per line")]
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

    /// Reads a file of labels with any name.
    ///
    /// # Errors
    /// [`LabelsError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, LabelsError> {
        let unreadable = |source| LabelsError::Unreadable { path: path.to_owned(), source };
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Takes the labels from a file's text. `path` is for the error texts only.
    ///
    /// # Errors
    /// [`LabelsError::Empty`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, LabelsError> {
        let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        if names.iter().all(String::is_empty) {
            return Err(LabelsError::Empty(path.to_owned()));
        }
        Ok(Self(names))
    }

    /// The names of all classes that have one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The name of a class, or `unknown` if it has none.
    pub fn name(&self, class: ClassIndex) -> &str {
        match self.0.get(usize::from(class.0)) {
            Some(name) if !name.is_empty() => name,
            _ => "unknown",
        }
    }

    /// The class with this name.
    pub fn class(&self, name: &str) -> Option<ClassIndex> {
        let position = self.0.iter().position(|known| known == name && !known.is_empty())?;
        u16::try_from(position).ok().map(ClassIndex)
    }

    /// The number of classes, including those without a name.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no classes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
