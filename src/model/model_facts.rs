//! What a model's file says of itself: told by the child that has read it, understood by the parent.
//!
//! Nothing here is checked against what the model computes. Every text is short enough for one packet between the
//! two, and none has a control character, so all of it can be shown in a terminal.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of a model without running it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// What must be given to it; constants of the graph are not among them.
    pub inputs: Vec<TensorFact>,
    /// What it gives back.
    pub outputs: Vec<TensorFact>,
    /// Version of the file's format.
    pub ir_version: i64,
    /// Version of each set of operators, by its domain; that of ONNX itself is `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    /// What wrote the file, with its version; empty if the file does not say.
    pub producer: String,
    /// Operators of the graph.
    pub nodes: u64,
    /// How often each kind of operator is used.
    pub operators: BTreeMap<String, u64>,
    /// What the producer noted beside the graph, long texts cut.
    pub metadata: BTreeMap<String, String>,
    /// Of the file.
    pub bytes: u64,
    /// Weights that lie beside the file, by their name in its directory.
    pub external_files: BTreeMap<String, u64>,
}

/// One input or output.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TensorFact {
    /// By which it is given or asked for.
    pub name: String,
    /// What it consists of.
    pub element: Element,
    /// Its size along each axis. Empty: a single value, or the file does not say.
    pub shape: Vec<Size>,
    /// The operators beside it, nearest first, cut after a few: those that an output comes from, along the first input
    /// of each, or those that an input goes into, along the first output.
    pub nearest: Vec<String>,
}

/// A size along an axis.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Size {
    /// Always this.
    Fixed(u64),
    /// Decided when the model runs; empty if the file has not even a name for it.
    Named(String),
}

/// What a tensor consists of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// 32 bits.
    Float32,
    /// 16 bits, IEEE.
    Float16,
    /// 16 bits, the upper half of 32.
    BFloat16,
    /// 64 bits.
    Float64,
    /// A byte.
    Uint8,
    /// A byte with a sign.
    Int8,
    /// 32 bits with a sign.
    Int32,
    /// 64 bits with a sign.
    Int64,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// Anything that no picture and no detection consists of.
    Other,
}

impl ModelFacts {
    /// The output of a name.
    pub fn output(&self, name: &str) -> Option<&TensorFact> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// How often an operator is used.
    pub fn uses(&self, operator: &str) -> u64 {
        self.operators.get(operator).copied().unwrap_or(0)
    }
}

impl Size {
    /// The size, if it is always the same.
    pub fn fixed(&self) -> Option<u64> {
        match self {
            Self::Fixed(size) => Some(*size),
            Self::Named(_) => None,
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(size) => write!(out, "{size}"),
            Self::Named(name) if name.is_empty() => out.write_str("?"),
            Self::Named(name) => out.write_str(name),
        }
    }
}

impl std::fmt::Display for Element {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::Float64 => "float64",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Other => "another type",
        })
    }
}

/// As in `images float32 [1,3,640,640]`.
impl std::fmt::Display for TensorFact {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes: Vec<String> = self.shape.iter().map(Size::to_string).collect();
        write!(out, "{} {} [{}]", self.name, self.element, sizes.join(","))
    }
}
