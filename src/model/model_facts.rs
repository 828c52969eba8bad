//! The metadata of a model's file. A child process reads the file and sends it to the parent.
//!
//! Nothing here is checked against what the model computes. Every text is short enough for one packet and has no
//! control characters, so that a terminal can show it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The interface and the statistics of a model, read without running it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The inputs that a caller must give, without the graph's initializers.
    pub inputs: Vec<TensorFact>,
    /// The graph's outputs.
    pub outputs: Vec<TensorFact>,
    /// Version of the ONNX format (`ir_version`).
    pub ir_version: i64,
    /// Opset versions by domain; the domain of ONNX itself is `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    /// Name and version of the exporter; empty if unknown.
    pub producer: String,
    /// Number of nodes of the graph.
    pub nodes: u64,
    /// Number of nodes by operator type.
    pub operators: BTreeMap<String, u64>,
    /// The file's `metadata_props`; long texts are cut.
    pub metadata: BTreeMap<String, String>,
    /// Size of the file.
    pub bytes: u64,
    /// Sizes of the files with external weights in bytes, by file name.
    pub external_files: BTreeMap<String, u64>,
}

/// One input or output.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TensorFact {
    /// The name in the graph.
    pub name: String,
    /// The element type.
    pub element: Element,
    /// The size of each axis. Empty: a scalar, or the file does not have the shape.
    pub shape: Vec<Size>,
    /// The nearest few operators, nearest first. For an output: its producers, followed along first inputs. For an
    /// input: its consumers, followed along first outputs.
    pub nearest: Vec<String>,
}

/// The size of an axis.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Size {
    /// A static size.
    Fixed(u64),
    /// A dynamic size with its symbolic name; empty if it has none.
    Named(String),
}

/// The element type of a tensor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Element {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary16.
    Float16,
    /// The upper 16 bits of a float32.
    BFloat16,
    /// IEEE 754 binary64.
    Float64,
    /// Unsigned 8 bits.
    Uint8,
    /// Signed 8 bits.
    Int8,
    /// Signed 32 bits.
    Int32,
    /// Signed 64 bits.
    Int64,
    /// A boolean.
    Bool,
    /// A string.
    Text,
    /// Any other type. No supported layout uses it.
    Other,
}

impl ModelFacts {
    /// The output with this name.
    pub fn output(&self, name: &str) -> Option<&TensorFact> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// The licence in the metadata.
    pub fn licence(&self) -> Option<&str> {
        let noted = ["license", "licence"].iter().find_map(|key| self.metadata.get(*key));
        noted.map(|licence| licence.trim()).filter(|licence| !licence.is_empty())
    }

    /// The number of nodes of an operator type.
    pub fn uses(&self, operator: &str) -> u64 {
        self.operators.get(operator).copied().unwrap_or(0)
    }
}

impl Size {
    /// The size, if it is static.
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
