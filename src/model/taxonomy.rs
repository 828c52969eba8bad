//! `taxonomy.toml`: display names, parents and categories of labels, as Rekognition's `DetectLabels` returns them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The entry of one label.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kind {
    /// The display name; empty: the name in `labels.txt`.
    pub name: String,
    /// Its more general labels, nearest first.
    pub parents: Vec<String>,
    /// The names of its categories.
    pub categories: Vec<String>,
}

/// The entries, by the name in `labels.txt`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Taxonomy(BTreeMap<String, Kind>);

/// Why the file of a taxonomy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TaxonomyError {
    /// The file exists but cannot be read.
    #[error("the taxonomy {0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is not TOML, or an entry has unknown keys or wrong types.
    #[error("the taxonomy {0} is invalid: {1}")]
    Invalid(PathBuf, String),
}

/// The file's name in a package.
pub const FILE: &str = "taxonomy.toml";

impl Taxonomy {
    /// Reads the taxonomy in a package's directory. Without the file it is empty, and labels keep their names.
    ///
    /// # Errors
    /// [`TaxonomyError`] naming the file.
    pub fn load(directory: &Path) -> Result<Self, TaxonomyError> {
        let path = directory.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(TaxonomyError::Unreadable(path, error)),
        };
        toml::from_str(&text).map_err(|error| TaxonomyError::Invalid(path, error.to_string()))
    }

    /// The entry of a label. A label without one has its own name, no parents and no categories.
    pub fn kind(&self, label: &str) -> Kind {
        let known = self.0.get(label).cloned().unwrap_or_default();
        if known.name.is_empty() { Kind { name: label.to_owned(), ..known } } else { known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;
    use crate::vision::detection::ClassIndex;

    #[test]
    fn a_label_without_a_place_is_called_what_it_is() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Taxonomy::load(home.path()).unwrap().kind("gizmo").name, "gizmo");
        std::fs::write(home.path().join(FILE), "[gizmo]\nparents = [\"Thing\"]\n").unwrap();
        let kind = Taxonomy::load(home.path()).unwrap().kind("gizmo");
        assert_eq!((kind.name.as_str(), kind.parents), ("gizmo", vec!["Thing".to_owned()]));
        std::fs::write(home.path().join(FILE), "gizmo = 1").unwrap();
        assert!(Taxonomy::load(home.path()).is_err());
    }

    #[test]
    fn every_label_of_the_shipped_models_has_its_place() {
        for model in ["coco-ssd", "coco-ssd-nms", "centernet"] {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model);
            let (labels, taxonomy) = (Labels::load(&directory).unwrap(), Taxonomy::load(&directory).unwrap());
            for class in 0..90 {
                let label = labels.name(ClassIndex(class));
                assert!(label == "unknown" || taxonomy.0.contains_key(label), "{model}: {label}");
            }
        }
    }
}
