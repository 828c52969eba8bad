//! A model package: a directory with a manifest, labels and the model's file.

use crate::model::labels::{Labels, LabelsError};
use crate::model::manifest::{Manifest, ManifestError};
use crate::model::taxonomy::{Taxonomy, TaxonomyError};
use std::path::{Path, PathBuf};

/// What the parent knows of a package.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Package {
    /// The name under which the model runs.
    pub model: String,
    /// The directory's name.
    pub name: String,
    /// By its manifest.
    pub version: String,
    /// Of its classes.
    pub labels: Labels,
    /// What they are a kind of.
    pub taxonomy: Taxonomy,
    /// Where it lies.
    pub directory: PathBuf,
}

/// Why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A name that could lead out of the models' directory.
    #[error("`{0}` is not a package: use the name of a directory under `units.models_directory`")]
    Name(String),
    /// The manifest is missing or wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The labels are missing or wrong.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// What they are a kind of.
    #[error(transparent)]
    Taxonomy(#[from] TaxonomyError),
}

impl Package {
    /// Reads manifest and labels of `models_directory/name`, which is to run under the name `model`.
    ///
    /// # Errors
    /// [`PackageError`] naming what is wrong.
    pub fn load(models_directory: &Path, name: &str, model: &str) -> Result<Self, PackageError> {
        if !is_package_name(name) {
            return Err(PackageError::Name(name.to_owned()));
        }
        Self::load_from(models_directory.join(name), name, model)
    }

    /// Reads a package wherever it lies; `name` is what it is called.
    ///
    /// # Errors
    /// [`PackageError`] naming what is wrong.
    pub fn load_from(directory: PathBuf, name: &str, model: &str) -> Result<Self, PackageError> {
        let manifest = Manifest::load(&directory)?;
        let (labels, taxonomy) = (Labels::load(&directory)?, Taxonomy::load(&directory)?);
        let (model, name) = (model.to_owned(), name.to_owned());
        Ok(Self { model, name, version: manifest.version, labels, taxonomy, directory })
    }
}

/// One directory level: nothing that leads anywhere else.
pub fn is_package_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_name_leads_nowhere_else() {
        assert!(is_package_name("coco-ssd"));
        for name in ["", ".", "..", "../x", "a/b", "/etc", ".hidden"] {
            assert!(!is_package_name(name), "{name}");
        }
    }
}
