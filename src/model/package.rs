//! A model package: a directory with a manifest, labels, an optional taxonomy and the model's files.

use crate::model::description::{Description, DescriptionError};
use crate::model::labels::Labels;
use crate::model::model_file::ModelVariant;
use crate::model::taxonomy::{Taxonomy, TaxonomyError};
use std::path::{Path, PathBuf};

/// A package as the parent process uses it, without the model itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Package {
    /// The name under which the model runs.
    pub model: String,
    /// The package's name.
    pub name: String,
    /// The version in its manifest.
    pub version: String,
    /// The names of its classes.
    pub labels: Labels,
    /// Display names, parents and categories of the labels.
    pub taxonomy: Taxonomy,
    /// The package's directory.
    pub directory: PathBuf,
    /// The checksums of the float model's files, in one line: the model's identity.
    pub checksums: String,
    /// The digest of manifest and labels, as in [`Description`]: units load nothing else under these labels.
    pub digest: String,
}

/// Why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The name is not that of a direct subdirectory.
    #[error("`{0}` is not a package: use the name of a directory under `units.models_directory`")]
    Name(String),
    /// The manifest or the labels are missing or invalid.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The taxonomy is invalid.
    #[error(transparent)]
    Taxonomy(#[from] TaxonomyError),
}

impl Package {
    /// Reads the package `models_directory/name`, which runs under the name `model`. Does not read the model's files.
    ///
    /// # Errors
    /// [`PackageError`], which names the file or the package.
    pub fn load(models_directory: &Path, name: &str, model: &str) -> Result<Self, PackageError> {
        if !is_package_name(name) {
            return Err(PackageError::Name(name.to_owned()));
        }
        Self::load_from(models_directory.join(name), name, model)
    }

    /// Reads a package in any directory and gives it the name `name`.
    ///
    /// # Errors
    /// [`PackageError`], which names the file.
    pub fn load_from(directory: PathBuf, name: &str, model: &str) -> Result<Self, PackageError> {
        let Description { manifest, labels, digest } = Description::load(&directory)?;
        let taxonomy = Taxonomy::load(&directory)?;
        let (model, name) = (model.to_owned(), name.to_owned());
        let checksums = manifest.model.checksums(ModelVariant::Float);
        Ok(Self { model, name, version: manifest.version, labels, taxonomy, directory, checksums, digest })
    }
}

/// True for a single path component without a leading dot, which cannot point outside of the models' directory.
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
