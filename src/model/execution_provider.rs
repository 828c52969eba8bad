//! ONNX Runtime's execution providers: names, options, and how many nodes of a graph each one runs.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// An ONNX Runtime execution provider. If it is not available, a unit that needs it fails to load.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionProvider {
    /// ONNX Runtime's own CPU kernels; in every build.
    #[default]
    Cpu,
    /// NVIDIA GPUs; Cargo feature `cuda` and a CUDA build of ONNX Runtime.
    Cuda,
    /// NVIDIA GPUs, with engines compiled for the GPU; Cargo feature `tensorrt`.
    TensorRt,
    /// Intel CPUs, GPUs and NPUs; Cargo feature `openvino`.
    OpenVino,
    /// CPUs with Google's XNNPACK kernels, mostly useful on Arm; Cargo feature `xnnpack`.
    Xnnpack,
}

impl ExecutionProvider {
    /// All providers.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino, Self::Xnnpack];

    /// The name in the settings; also the name of its Cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::Xnnpack => "xnnpack",
        }
    }

    /// ONNX Runtime's name.
    fn runtime_name(self) -> &'static str {
        match self {
            Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::TensorRt => "TensorrtExecutionProvider",
            Self::OpenVino => "OpenVINOExecutionProvider",
            Self::Xnnpack => "XnnpackExecutionProvider",
        }
    }
}

impl fmt::Display for ExecutionProvider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for ExecutionProvider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|provider| provider.name() == text);
        found.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// `[models.provider_options]`: options of the execution provider. A provider refuses an option that it does not have.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderOptions {
    /// Device memory in megabytes: CUDA's arena, TensorRT's workspace.
    pub memory_limit_mb: Option<u32>,
    /// Number format of the computation. `None`: the provider's default.
    pub precision: Option<Precision>,
    /// Directory that caches compiled engines. Without it, TensorRT and OpenVINO compile for minutes at each start.
    pub engine_cache_directory: Option<PathBuf>,
}

/// The number format in which a provider computes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    Fp32,
    /// 16-bit floating point, where it is faster.
    Fp16,
    /// 8-bit integers. The model must be quantised: the scales are read from it.
    Int8,
}

impl fmt::Display for Precision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8 => "int8",
        })
    }
}

/// How many nodes of a loaded graph are assigned to each provider. The key is the name in the settings, or ONNX
/// Runtime's for a provider that the settings do not have. Empty: unknown.
///
/// A compiling provider (TensorRT, OpenVINO) replaces each subgraph that it supports by one node.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeCounts(pub BTreeMap<String, u32>);

impl NodeCounts {
    /// Adds nodes of a provider, which is given by ONNX Runtime's name.
    pub fn add(&mut self, runtime_name: &str, nodes: u32) {
        let known = ExecutionProvider::ALL.into_iter().find(|provider| provider.runtime_name() == runtime_name);
        let count = self.0.entry(known.map_or(runtime_name, |provider| provider.name()).to_owned()).or_default();
        *count = count.saturating_add(nodes);
    }

    /// The number of nodes of one provider.
    pub fn of(&self, provider: ExecutionProvider) -> u32 {
        self.0.get(provider.name()).copied().unwrap_or_default()
    }
}

impl fmt::Display for NodeCounts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|(provider, nodes)| format!("{provider} {nodes}"));
        match self.0.is_empty() {
            true => out.write_str("unknown"),
            false => out.write_str(&counts.collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_called_as_in_the_settings() {
        for provider in ExecutionProvider::ALL {
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.name());
            assert_eq!(provider.name().parse(), Ok(provider));
        }
        assert_eq!(
            "gpu".parse::<ExecutionProvider>(),
            Err("must be one of cpu, cuda, tensorrt, openvino, xnnpack".into())
        );
    }

    #[test]
    fn nodes_are_counted_under_our_names() {
        let mut counts = NodeCounts::default();
        assert_eq!(counts.to_string(), "unknown");
        for (name, nodes) in [("CUDAExecutionProvider", 160), ("CPUExecutionProvider", 1), ("CPUExecutionProvider", 1)]
        {
            counts.add(name, nodes);
        }
        counts.add("DmlExecutionProvider", 3);
        assert_eq!(counts.to_string(), "DmlExecutionProvider 3, cpu 2, cuda 160");
        assert_eq!((counts.of(ExecutionProvider::Cpu), counts.of(ExecutionProvider::TensorRt)), (2, 0));
    }
}
