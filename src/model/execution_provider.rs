//! What can compute a model: names, options, and how many nodes of a graph each of them got.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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
    /// CPUs by Google's kernels, mostly of worth on Arm; Cargo feature `xnnpack`.
    Xnnpack,
}

impl ExecutionProvider {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino, Self::Xnnpack];

    /// As in the settings; also the name of its Cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::Xnnpack => "xnnpack",
        }
    }

    /// As ONNX Runtime calls it.
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

/// `[models.provider_options]`: what its execution provider is told. One that does not know an option refuses it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderOptions {
    /// Megabytes of its device: CUDA's arena, TensorRT's workspace.
    pub memory_limit_mb: Option<u32>,
    /// With what numbers it computes; none: as the provider sees fit.
    pub precision: Option<Precision>,
    /// Where compiled engines are kept between starts: TensorRT and OpenVINO compile for minutes without one.
    pub engine_cache_directory: Option<PathBuf>,
}

/// With what numbers a provider computes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    Fp32,
    /// 16 bits where it gains something.
    Fp16,
    /// 8 bits; the model must carry the scales, which quantisation puts into it.
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

/// How many computing nodes of a loaded graph each provider got, by its name in the settings, or by ONNX Runtime's where
/// the settings have none. Empty: not known.
///
/// A provider that compiles (TensorRT, OpenVINO) turns each part of the graph that it takes into one node.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeCounts(pub BTreeMap<String, u32>);

impl NodeCounts {
    /// Counts nodes of the provider that ONNX Runtime calls so.
    pub fn add(&mut self, runtime_name: &str, nodes: u32) {
        let known = ExecutionProvider::ALL.into_iter().find(|provider| provider.runtime_name() == runtime_name);
        let count = self.0.entry(known.map_or(runtime_name, |provider| provider.name()).to_owned()).or_default();
        *count = count.saturating_add(nodes);
    }

    /// Of one provider.
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
