//! The messages by which a model is quantised: a process writes a graph, and a unit observes one.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The most values between convolutions: their ranges are one packet.
pub const MAX_ACTIVATIONS: usize = 2000;

/// What a process that rewrites a model is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantizeOrder {
    /// Absolute path of the model, without symbolic links.
    pub file: PathBuf,
    /// What is written.
    pub step: QuantizeStep,
}

/// Which graph is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum QuantizeStep {
    /// The same with further outputs, which show the values between convolutions.
    Observe,
    /// The one in 8 bits.
    Write {
        /// For each of the values that `Observe` shows, in its order.
        ranges: Vec<ActivationRange>,
        /// What stays in 32 bits.
        float: FloatPart,
    },
}

/// The convolutions that stay in 32 bits. Those in the middle cannot: between two values in 8 bits ONNX Runtime quantises a
/// convolution by itself, and not by channel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct FloatPart {
    /// The first one, which sees details that 8 bits blur.
    pub is_first: bool,
    /// Those behind which there is no other: they give scores and places.
    pub is_last: bool,
}

/// The least and the greatest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivationRange {
    /// The least.
    pub low: f32,
    /// The greatest.
    pub high: f32,
}

/// What was seen of one value over all pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// From the least to the greatest.
    pub whole: ActivationRange,
    /// Without a hundred-thousandth, and without a ten-thousandth at either end.
    pub narrower: [ActivationRange; 2],
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Quantized {
    /// The convolutions of the model that could be in 8 bits.
    pub convolutions: u32,
    /// Those that are.
    pub in_8_bits: u32,
}
