//! `manifest.toml`: a model's source, files, input, output layout and thresholds.

use crate::model::canary::Canary;
use crate::model::input_layout::InputLayout;
use crate::model::model_file::{ModelFile, ModelVariant};
use crate::model::output_layout::OutputLayout;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A model package's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Display name, for logs and messages.
    pub name: String,
    /// Version of the package; changes with the model.
    pub version: String,
    /// Where the model comes from.
    pub source: Source,
    /// The model's files and their checksums.
    pub model: ModelFile,
    /// The input tensor.
    pub input: InputLayout,
    /// The layout of the output tensors.
    pub output: OutputLayout,
    /// Confidence, NMS and detection limit.
    pub thresholds: Thresholds,
    /// Confidence thresholds by label, 0..=1, which override `thresholds.confidence`.
    #[serde(default)]
    pub label_thresholds: BTreeMap<String, f32>,
    /// A test picture that a unit must recognise before it goes into service.
    #[serde(default)]
    pub canary: Option<Canary>,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the upstream package.
    pub package: String,
    /// Version of the upstream package.
    pub package_version: String,
    /// SHA-256 of the upstream package's archive, in hexadecimal.
    pub package_sha256: String,
    /// Licence as an SPDX expression.
    pub licence: String,
}

/// Which of the model's outputs become detections.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Minimum confidence, 0..=1.
    pub confidence: f32,
    /// For frames of cameras: the least confidence of a detection by which the tracker may follow what has begun,
    /// 0..=`confidence`. `None`: it gets nothing below `confidence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_confidence: Option<f32>,
    /// IoU threshold of NMS, 0..=1.
    pub iou: f32,
    /// Maximum number of detections of one picture, 1..=1000.
    pub max_detections: usize,
}

/// The limit of `max_detections`. One packet to the parent can hold well more.
const MAX_DETECTIONS: usize = 1000;

/// Why a model package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file is missing or cannot be read.
    #[error(
        "{path} cannot be read: correct `models.package` or `units.models_directory`, or add the package with `ocelli model add` (in a checkout: `make setup`)"
    )]
    Unreadable {
        /// The manifest, or a file that it names.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, or a key is missing, unknown or of the wrong type.
    #[error("{path} is not a model manifest")]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// The parser's error with the position.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{path}: `{key}` {why}")]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// The key with its section.
        key: &'static str,
        /// What it must be.
        why: &'static str,
    },
    /// A file of the model is not the one that the manifest describes.
    #[error(
        "{path} has sha256 {found}, but its manifest has {expected}: add the package again with `ocelli model add` (in a checkout: `make setup`)"
    )]
    WrongChecksum {
        /// The model or a file of weights.
        path: PathBuf,
        /// The checksum in the manifest.
        expected: String,
        /// The checksum of the file.
        found: String,
    },
}

impl Manifest {
    /// Reads and checks `manifest.toml` in a model's directory.
    ///
    /// # Errors
    /// [`ManifestError`] naming file and key.
    pub fn load(directory: &Path) -> Result<Self, ManifestError> {
        let path = directory.join("manifest.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ManifestError::Unreadable { path: path.clone(), source })?;
        Self::parse(&text, &path)
    }

    /// Parses and checks a manifest's text. `path` is for the error texts only.
    ///
    /// # Errors
    /// [`ManifestError`] naming file and key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        let path = path.to_owned();
        let manifest: Self = match toml::from_str(text) {
            Ok(manifest) => manifest,
            Err(source) => return Err(ManifestError::Malformed { path, source: Box::new(source) }),
        };
        match manifest.mistake() {
            None => Ok(manifest),
            Some((key, why)) => Err(ManifestError::Invalid { path, key, why }),
        }
    }

    fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let is_ratio = |value: f32| (0.0..=1.0).contains(&value);
        let is_plain = |name: &str| !name.is_empty() && !name.contains('/') && name != "..";
        let checks = [
            (self.canary.as_ref().is_none_or(|canary| is_plain(&canary.image)), "canary.image", "must be a file name"),
            (is_plain(&self.model.file), "model.file", "must be a file name without a directory"),
            (
                self.model.data.iter().all(|data| is_plain(&data.file)),
                "model.data",
                "must be file names without a directory",
            ),
            (
                self.model.int8.as_ref().is_none_or(|int8| is_plain(&int8.file) && int8.file != self.model.file),
                "model.int8.file",
                "must be a file name without a directory, and another than model.file",
            ),
            (
                self.model.files().all(|(_, sha256)| sha256.len() == 64),
                "model.sha256",
                "must have 64 hexadecimal digits",
            ),
            (is_ratio(self.thresholds.confidence), "thresholds.confidence", "must be 0 to 1"),
            (
                self.thresholds.weak_confidence.is_none_or(|weak| (0.0..=self.thresholds.confidence).contains(&weak)),
                "thresholds.weak_confidence",
                "must be 0 to `thresholds.confidence`",
            ),
            (is_ratio(self.thresholds.iou), "thresholds.iou", "must be 0 to 1"),
            (self.label_thresholds.values().all(|value| is_ratio(*value)), "label_thresholds", "must be 0 to 1 each"),
            (
                (1..=MAX_DETECTIONS).contains(&self.thresholds.max_detections),
                "thresholds.max_detections",
                "must be 1 to 1000",
            ),
        ];
        let wrong = checks.into_iter().find(|(is_right, ..)| !is_right);
        let wrong = wrong.map(|(_, key, why)| (key, why));
        wrong.or_else(|| self.input.mistake()).or_else(|| self.output.mistake())
    }

    /// The path of a variant's ONNX file in the package's `directory`. `None`: the package lacks it.
    pub fn model_path(&self, directory: &Path, variant: ModelVariant) -> Option<PathBuf> {
        let (file, _) = *self.model.files_of(variant)?.first()?;
        Some(directory.join(file))
    }

    /// Compares all of the model's files with their checksums. Reads them as a whole, so it is slow for large models.
    ///
    /// # Errors
    /// [`ManifestError::WrongChecksum`] or [`ManifestError::Unreadable`].
    pub fn verify_model(&self, directory: &Path) -> Result<(), ManifestError> {
        self.model.variants().try_for_each(|variant| self.verify_variant(directory, variant))
    }

    /// Compares the files of one variant, which is all that a unit loads.
    ///
    /// # Errors
    /// As [`Self::verify_model`].
    pub fn verify_variant(&self, directory: &Path, variant: ModelVariant) -> Result<(), ManifestError> {
        for (file, expected) in self.model.files_of(variant).unwrap_or_default() {
            let path = directory.join(file);
            let unreadable = |source| ManifestError::Unreadable { path: path.clone(), source };
            let found = sha256_of_file(&path).map_err(unreadable)?;
            if found != expected.to_ascii_lowercase() {
                return Err(ManifestError::WrongChecksum { path, expected: expected.to_owned(), found });
            }
        }
        Ok(())
    }
}

/// The SHA-256 of a file in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of_file(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or(());
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("models/coco-ssd")
    }

    /// Writes the shipped manifest with one replacement and loads it.
    fn load_with(from: &str, to: &str) -> Result<Manifest, ManifestError> {
        let text = std::fs::read_to_string(shipped().join("manifest.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("manifest.toml"), text.replace(from, to)).unwrap();
        Manifest::load(directory.path())
    }

    #[test]
    fn the_shipped_manifests_are_valid() {
        for name in ["coco-ssd", "coco-ssd-nms"] {
            let directory = shipped().parent().unwrap().join(name);
            assert_eq!(Manifest::load(&directory).unwrap().name, name);
        }
    }

    #[test]
    fn a_mistake_is_named_with_file_and_key() {
        let error = load_with("width = 300", "width = 0").unwrap_err().to_string();
        assert!(error.contains("manifest.toml") && error.contains("input.width"), "{error}");
        assert!(load_with("width = 300", "widht = 300").is_err());
        let error = load_with("weak_confidence = 0.2", "weak_confidence = 0.6").unwrap_err().to_string();
        assert!(error.contains("must be 0 to `thresholds.confidence`"), "{error}");
        assert!(load_with("file = \"model.onnx\"", "file = \"../model.onnx\"").is_err());
    }

    #[test]
    fn a_second_precision_is_a_table_of_its_own() {
        let checksum = "0".repeat(64);
        let twin = |file: &str| format!("[model.int8]\nfile = \"{file}\"\nsha256 = \"{checksum}\"\n\n[input]");
        let manifest = load_with("[input]", &twin("model.int8.onnx")).unwrap();
        let directory = Path::new("p");
        assert_eq!(manifest.model_path(directory, ModelVariant::Int8), Some("p/model.int8.onnx".into()));
        assert_eq!(manifest.model_path(directory, ModelVariant::Float), Some("p/model.onnx".into()));
        for file in ["model.onnx", "../model.int8.onnx"] {
            assert!(load_with("[input]", &twin(file)).unwrap_err().to_string().contains("model.int8.file"));
        }
        assert_eq!(load_with("width = 300", "width = 300").unwrap().model_path(directory, ModelVariant::Int8), None);
    }

    #[test]
    fn another_model_than_the_manifest_describes_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::copy(shipped().join("manifest.toml"), directory.path().join("manifest.toml")).unwrap();
        std::fs::write(directory.path().join("model.onnx"), b"not the model").unwrap();
        let manifest = Manifest::load(directory.path()).unwrap();
        let error = manifest.verify_model(directory.path()).unwrap_err().to_string();
        assert!(error.contains("model.onnx") && error.contains("make setup"), "{error}");
    }
}
