//! Why a unit has no model.

use crate::model::labels::LabelsError;
use crate::model::manifest::ManifestError;
use crate::os::sandbox::SandboxError;

/// Why a model is not loaded. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The package is not in order.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The library is not there, or is no ONNX Runtime of a version that we can use.
    #[error(
        "ONNX Runtime cannot be loaded from {path}: {reason}; run `make setup`, or correct `units.runtime_library`"
    )]
    Library {
        /// By the settings.
        path: String,
        /// By the loader.
        reason: String,
    },
    /// This build or this box cannot compute that way.
    #[error("{0}")]
    ExecutionProvider(String),
    /// ONNX Runtime refuses the model.
    #[error("ONNX Runtime cannot load {path}: {reason}")]
    Model {
        /// The model's file.
        path: String,
        /// In ONNX Runtime's words.
        reason: String,
    },
    /// The model does not have what its manifest says.
    #[error("{path} has no {what} `{name}`; it has: {found}. Correct the manifest")]
    Tensor {
        /// The model's file.
        path: String,
        /// Input or output.
        what: &'static str,
        /// By the manifest.
        name: String,
        /// By the model.
        found: String,
    },
    /// An input or output of another type or shape than the manifest's.
    #[error("the {what} `{name}` of {path} is {found} and not {expected}. Correct the manifest")]
    Shape {
        /// The model's file.
        path: String,
        /// Input or output.
        what: &'static str,
        /// The tensor's name.
        name: String,
        /// By the model.
        found: String,
        /// By the manifest.
        expected: String,
    },
    /// An input that would get no value.
    #[error("{path} has an input `{name}` beside that of the picture, which its layout does not have")]
    UnfedInput {
        /// The model's file.
        path: String,
        /// The tensor's name.
        name: String,
    },
    /// The manifest has a threshold for a label that the model does not have.
    #[error("the manifest has a threshold for `{0}`, which is not one of the labels")]
    Label(String),
    /// The labels.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The first inference failed.
    #[error("the first inference failed: {0}")]
    WarmUp(String),
    /// The model computes something else than its package says.
    #[error("the canary {image} {why}")]
    Canary {
        /// File name of the canary's picture.
        image: String,
        /// What is wrong with it, or was not seen.
        why: String,
    },
    /// The unit may not read strangers' bytes unconfined.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// The cache cannot be written, or there are no threads and descriptors left.
    #[error("the model cannot be prepared")]
    Io(#[from] std::io::Error),
}
