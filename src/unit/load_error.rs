//! Errors of loading a model.

use crate::model::description::DescriptionError;
use crate::model::manifest::ManifestError;
use crate::model::model_file::ModelVariant;
use crate::os::sandbox::SandboxError;

/// Why a model was not loaded. The texts name the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The manifest is invalid, or a file of the package does not match its checksum.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The package has no file of the wanted precision.
    #[error(
        "the package {0} has no {1} model: make one with `ocelli model quantize NAME`, add one with `ocelli model add --int8 FILE`, or take `variant` out of the settings"
    )]
    NoVariant(String, ModelVariant),
    /// The library is missing, or is not ONNX Runtime in a supported version.
    #[error(
        "ONNX Runtime cannot be loaded from {path}: {reason}; run `make setup`, or correct `units.runtime_library`"
    )]
    Library {
        /// Path in the settings.
        path: String,
        /// Error of the dynamic loader.
        reason: String,
    },
    /// The build or the box does not support the execution provider or one of its options.
    #[error("{0}")]
    ExecutionProvider(String),
    /// ONNX Runtime rejects the model.
    #[error("ONNX Runtime cannot load {path}: {reason}")]
    Model {
        /// Path of the model.
        path: String,
        /// ONNX Runtime's error.
        reason: String,
    },
    /// The model lacks an input or output that its manifest names.
    #[error("{path} has no {what} `{name}`; it has: {found}. Correct the manifest")]
    Tensor {
        /// Path of the model.
        path: String,
        /// `input` or `output`.
        what: &'static str,
        /// Name in the manifest.
        name: String,
        /// Names in the model.
        found: String,
    },
    /// The type or shape of an input or output differs from the manifest's.
    #[error("the {what} `{name}` of {path} is {found} and not {expected}. Correct the manifest")]
    Shape {
        /// Path of the model.
        path: String,
        /// `input` or `output`.
        what: &'static str,
        /// The tensor's name.
        name: String,
        /// Type and shape in the model.
        found: String,
        /// Type and shape from the manifest.
        expected: String,
    },
    /// The model has an input to which its layout assigns no value.
    #[error("{path} has an additional input `{name}`, which its layout does not have")]
    UnfedInput {
        /// Path of the model.
        path: String,
        /// The tensor's name.
        name: String,
    },
    /// The manifest sets a threshold for a label that the model does not have.
    #[error("the manifest has a threshold for `{0}`, which is not one of the labels")]
    Label(String),
    /// The manifest or the labels are missing or invalid.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The first inference failed.
    #[error("the first inference failed: {0}")]
    WarmUp(String),
    /// What the model computes cannot be what its layout means.
    #[error("what it computes does not fit the layout `{layout}`: {doubt} (--accept-doubts installs it nevertheless)")]
    Doubtful {
        /// The layout's name.
        layout: &'static str,
        /// What is wrong, and which layout would fit if one does.
        doubt: String,
    },
    /// The package was replaced after the parent had read it.
    #[error(
        "the package {0} is not the one whose labels are in use: it was replaced or changed. `ocelli ctl swap MODEL --package NAME` takes it as it is now"
    )]
    OtherPackage(String),
    /// The model does not detect the known content of its test picture.
    #[error("the canary {image} {why}")]
    Canary {
        /// File name of the canary's picture.
        image: String,
        /// What is wrong with the picture, or which detection is missing.
        why: String,
    },
    /// The sandbox cannot be entered. A unit must not process untrusted data outside of it.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// A system call failed, for example because no thread or file descriptor is available.
    #[error("the model cannot be prepared")]
    Io(#[from] std::io::Error),
}
