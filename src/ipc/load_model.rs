//! The request to load a model.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which model a unit loads, and with which execution provider, threads and limits.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LoadModel {
    /// The package: `manifest.toml`, `labels.txt` and `model.onnx`.
    pub directory: PathBuf,
    /// Loading fails if it is not available; there is no fallback.
    pub execution_provider: ExecutionProvider,
    /// A device of the provider, in the provider's notation: `1` for the second GPU, `GPU.1` or `NPU`. None: the first.
    pub device: Option<String>,
    /// Loading fails on an option that the provider does not support.
    pub provider_options: ProviderOptions,
    /// Threads per inference.
    pub intra_op_threads: u16,
    /// The largest batch, in pictures, if its size is variable. The unit may choose a smaller one that is faster.
    pub max_batch: u16,
    /// Path of `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// Cache of optimised graphs. None: the graph is optimised at each start.
    pub cache_directory: Option<PathBuf>,
    /// CPU cores to run on. Empty: all.
    pub cores: Vec<u16>,
    /// Memory limit, not counting mapped files. None: no limit.
    pub memory_limit_bytes: Option<u64>,
}

impl LoadModel {
    /// Changes the provider or the device. A different provider starts without device and options, because these were
    /// set for the old one.
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
