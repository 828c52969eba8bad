//! The request to load a model: which one, and what computes it.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A request to load a model.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LoadModel {
    /// Holds `manifest.toml`, `labels.txt` and `model.onnx`.
    pub directory: PathBuf,
    /// The execution provider. Loading fails rather than falls back to another one.
    pub execution_provider: ExecutionProvider,
    /// One of the provider's devices, as it names them: `1` of several GPUs, `GPU.1` or `NPU`; none: its first.
    pub device: Option<String>,
    /// Options of the provider. Loading fails on one that it does not know.
    pub provider_options: ProviderOptions,
    /// Threads of one inference.
    pub intra_op_threads: u16,
    /// The largest batch. A smaller one is used where the model or its speed demands it; 1: no batches.
    pub max_batch: u16,
    /// `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// Where optimised graphs are kept between starts; none: optimise at each start.
    pub cache_directory: Option<PathBuf>,
    /// The cores that it may use; none: any.
    pub cores: Vec<u16>,
    /// Limit of memory, not counting mapped files; none: no limit.
    pub memory_limit_bytes: Option<u64>,
}

impl LoadModel {
    /// Changes the provider or the device. Another provider starts without device and options, because those of the model
    /// are meant for the provider of the model.
    pub fn turn_to(&mut self, provider: Option<ExecutionProvider>, device: Option<&str>) {
        if let Some(provider) = provider.filter(|provider| *provider != self.execution_provider) {
            self.execution_provider = provider;
            (self.device, self.provider_options) = (None, ProviderOptions::default());
        }
        if let Some(device) = device {
            self.device = Some(device.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_with_the_provider_that_they_were_meant_for() {
        let provider_options = ProviderOptions { memory_limit_mb: Some(512), ..ProviderOptions::default() };
        let execution_provider = ExecutionProvider::Cuda;
        let load = LoadModel { execution_provider, device: Some("1".into()), provider_options, ..LoadModel::default() };
        let turned = |provider, device| {
            let mut load = load.clone();
            load.turn_to(provider, device);
            (load.execution_provider, load.device, load.provider_options.memory_limit_mb)
        };
        let device = |name: &str| Some(name.to_owned());
        assert_eq!(turned(None, None), (ExecutionProvider::Cuda, device("1"), Some(512)));
        assert_eq!(turned(Some(ExecutionProvider::Cuda), Some("0")), (ExecutionProvider::Cuda, device("0"), Some(512)));
        assert_eq!(turned(Some(ExecutionProvider::Cpu), None), (ExecutionProvider::Cpu, None, None));
        let npu = turned(Some(ExecutionProvider::OpenVino), Some("NPU"));
        assert_eq!(npu, (ExecutionProvider::OpenVino, device("NPU"), None));
    }
}
