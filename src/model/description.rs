//! What a package says of its model: manifest and labels, read once, with a digest by which two readers know that they
//! have read the same.

use crate::model::labels::{Labels, LabelsError};
use crate::model::manifest::{Manifest, ManifestError, hexadecimal};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Manifest and labels of a package.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The manifest. It has the checksums of the model's files.
    pub manifest: Manifest,
    /// The names of the classes.
    pub labels: Labels,
    /// SHA-256 of both files in hexadecimal: with the checksums in the manifest, of all that a unit computes with.
    pub digest: String,
}

/// Why a package's description cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// The manifest is missing or invalid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The labels are missing or empty.
    #[error(transparent)]
    Labels(#[from] LabelsError),
}

impl Description {
    /// Reads both files of a package's directory.
    ///
    /// # Errors
    /// [`DescriptionError`], which names the file.
    pub fn load(directory: &Path) -> Result<Self, DescriptionError> {
        let (manifest_path, labels_path) = (directory.join("manifest.toml"), directory.join("labels.txt"));
        let text = std::fs::read_to_string(&manifest_path)
            .map_err(|source| ManifestError::Unreadable { path: manifest_path.clone(), source })?;
        let manifest = Manifest::parse(&text, &manifest_path)?;
        let names = std::fs::read_to_string(&labels_path)
            .map_err(|source| LabelsError::Unreadable { path: labels_path.clone(), source })?;
        let labels = Labels::parse(&names, &labels_path)?;
        Ok(Self { manifest, labels, digest: digest(&[&text, &names]) })
    }
}

/// The length of each text goes before it, so that nothing can move from one to the next.
fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hexadecimal(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_digest_changes_with_either_text_and_with_the_border_between_them() {
        let all = [digest(&["ab", "c"]), digest(&["a", "bc"]), digest(&["ab", "d"]), digest(&["b", "c"])];
        assert!(all.iter().enumerate().all(|(at, one)| !all[..at].contains(one)), "{all:?}");
        assert_eq!(digest(&["ab", "c"]), all[0]);
    }
}
