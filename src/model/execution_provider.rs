//! The names of what can compute a model.

use serde::{Deserialize, Serialize};

/// An ONNX Runtime execution provider. A unit asked for one it cannot have fails to load and says so.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionProvider {
    /// Every build has it.
    #[default]
    Cpu,
    /// NVIDIA GPUs; Cargo feature `cuda` and a CUDA build of ONNX Runtime.
    Cuda,
    /// NVIDIA GPUs with engines compiled for them; Cargo feature `tensorrt`.
    TensorRt,
    /// Intel CPUs, GPUs and NPUs; Cargo feature `openvino`.
    OpenVino,
}

impl std::fmt::Display for ExecutionProvider {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
        })
    }
}
