//! Why a model is not quantised.

use crate::ipc::quantize_messages::MAX_ACTIVATIONS;
use std::path::PathBuf;

/// The operator set that 8-bit weights need, the first with a scale for each channel.
pub(super) const LEAST_SET: i64 = 13;

/// Why a model is not quantised. The texts name the remedy.
#[derive(Debug, thiserror::Error)]
pub enum QuantizeError {
    /// The file cannot be read.
    #[error("{0} cannot be read")]
    Read(PathBuf, #[source] std::io::Error),
    /// The file is no ONNX model.
    #[error("it is not an ONNX model, or it is damaged: add it again")]
    Malformed(#[from] prost::DecodeError),
    /// Its operators cannot say a scale for each channel.
    #[error(
        "it has `{operator}` of operator set {set}, and 8-bit weights need set {LEAST_SET}: export it again with `opset={LEAST_SET}`"
    )]
    Opset {
        /// Its operator set.
        set: i64,
        /// The operator that means something else in a later set.
        operator: String,
    },
    /// It has branches or loops, whose insides are not followed.
    #[error("it has the operator `{0}`, whose inner graphs are not followed: export it without")]
    Subgraph(String),
    /// Nothing in it can be computed in 8 bits.
    #[error(
        "it has no convolution with 32-bit weights in its own file: it is in 16 or 8 bits already, or has its weights beside it"
    )]
    NothingToDo,
    /// It has more values between convolutions than one message holds.
    #[error("it has {0} values between convolutions, and the limit is {MAX_ACTIVATIONS}")]
    TooMany(usize),
    /// The ranges are not those of this model.
    #[error("the ranges are for another model")]
    Ranges,
    /// The result cannot be written.
    #[error("the new model cannot be written")]
    Write(#[source] std::io::Error),
}
