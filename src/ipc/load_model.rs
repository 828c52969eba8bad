//! What a unit is told to load, and on what.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a unit is to load.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LoadModel {
    /// Holds `manifest.toml`, `labels.txt` and `model.onnx`.
    pub directory: PathBuf,
    /// What is to compute. It fails to load rather than fall back to another.
    pub execution_provider: ExecutionProvider,
    /// Which of its devices, in its words: `1` of several GPUs, `GPU.1` or `NPU`; none: its first.
    pub device: Option<String>,
    /// What the provider is told; one that it does not know keeps it from loading.
    pub provider_options: ProviderOptions,
    /// Threads of one inference.
    pub intra_op_threads: u16,
    /// Pictures that are looked at together at most, where the model can and it is faster; 1: one by one.
    pub max_batch: u16,
    /// `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// Where optimised graphs are kept between starts; none: optimise at each start.
    pub cache_directory: Option<PathBuf>,
    /// The cores that it may use; none: any.
    pub cores: Vec<u16>,
    /// The most memory that it may take, mapped files not counted; none: what there is.
    pub memory_limit_bytes: Option<u64>,
}

impl LoadModel {
    /// Has another provider compute, or another device. Device and options of the model are meant for the provider of
    /// the model: another one is not told them.
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
