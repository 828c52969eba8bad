//! The request to load a model.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use crate::model::manifest::hexadecimal;
use crate::model::model_file::ModelVariant;
use crate::model::package::Package;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Which model a unit loads, and with which execution provider, threads and limits.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LoadModel {
    /// The package: `manifest.toml`, `labels.txt` and the ONNX files that the manifest names.
    pub directory: PathBuf,
    /// The file of the package. Loading fails if the package lacks it.
    pub variant: ModelVariant,
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
    /// Cache of optimised graphs, for this model alone. None: the graph is optimised at each start.
    pub cache_directory: Option<PathBuf>,
    /// CPU cores to run on. Empty: all.
    pub cores: Vec<u16>,
    /// Memory limit, not counting mapped files. None: no limit.
    pub memory_limit_bytes: Option<u64>,
    /// The digest of the package's manifest and labels, as the parent has read them. Loading fails if they are others by
    /// now: results must not get the labels of another model. None: whatever is there.
    pub package_digest: Option<String>,
    /// Try the package: run made-up pictures, and fail if what comes out cannot be what its layout means.
    pub is_trial: bool,
    /// Observe the values between convolutions, which the graph shows in further outputs, from the first picture on.
    pub is_observed: bool,
}

impl LoadModel {
    /// Binds the load to a package as it was read, and gives the model directories of its own in the caches of graphs and
    /// engines. The unit may write there and nowhere else, so that one which a model or a picture has taken over cannot
    /// change what units of other models start from.
    #[must_use]
    pub fn of_package(mut self, package: &Package) -> Self {
        self.package_digest = Some(package.digest.clone());
        let name = own_name(&package.checksums);
        let own = |directory: Option<PathBuf>| Some(directory?.join(&name));
        self.cache_directory = own(self.cache_directory);
        self.provider_options.engine_cache_directory = own(self.provider_options.engine_cache_directory);
        self
    }

    /// Loads the model without caches: for a trial of one that nobody has put in place.
    #[must_use]
    pub fn without_caches(mut self) -> Self {
        (self.cache_directory, self.provider_options.engine_cache_directory) = (None, None);
        self
    }

    /// True if the model is computed on the box's cores, and not by a device with a driver of its own.
    pub fn computes_on_cores(&self) -> bool {
        match self.execution_provider {
            ExecutionProvider::Cpu | ExecutionProvider::Xnnpack => true,
            ExecutionProvider::OpenVino => self.device.as_deref().is_none_or(|device| device == "CPU"),
            ExecutionProvider::Cuda | ExecutionProvider::TensorRt => false,
        }
    }

    /// True if the provider makes code at run time, so that the unit needs memory that can be written and executed.
    pub fn compiles_code(&self) -> bool {
        !matches!(self.execution_provider, ExecutionProvider::Cpu | ExecutionProvider::Xnnpack)
    }

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

/// The name of a model's directory in a cache: 32 hexadecimal digits.
fn own_name(checksums: &str) -> String {
    hexadecimal(&Sha256::digest(checksums)[..16])
}

/// True for a name that [`LoadModel::of_package`] gives.
pub fn is_own_cache(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_has_directories_of_its_own_in_the_caches() {
        let provider_options =
            ProviderOptions { engine_cache_directory: Some("e".into()), ..ProviderOptions::default() };
        let load = LoadModel { cache_directory: Some("c".into()), provider_options, ..LoadModel::default() };
        let package = |checksums: &str| Package { checksums: checksums.into(), ..Package::default() };
        let of = |checksums: &str| load.clone().of_package(&package(checksums));
        let (one, other) = (of("a"), of("b"));
        assert_ne!(one.cache_directory, other.cache_directory);
        assert_ne!(one.provider_options.engine_cache_directory, other.provider_options.engine_cache_directory);
        assert_eq!(of("a"), one);
        let directory = one.cache_directory.unwrap();
        assert!(directory.starts_with("c") && is_own_cache(directory.file_name().unwrap().to_str().unwrap()));
        let none = LoadModel::default().of_package(&package("a"));
        assert_eq!((none.cache_directory, none.package_digest), (None, Some(String::new())), "no cache stays none");
    }

    #[test]
    fn openvino_computes_on_cores_unless_it_has_another_device() {
        let of = |execution_provider, device: Option<&str>| {
            let device = device.map(str::to_owned);
            LoadModel { execution_provider, device, ..LoadModel::default() }.computes_on_cores()
        };
        assert!(of(ExecutionProvider::Cpu, None) && of(ExecutionProvider::Xnnpack, None));
        assert!(of(ExecutionProvider::OpenVino, None) && of(ExecutionProvider::OpenVino, Some("CPU")));
        assert!(!of(ExecutionProvider::OpenVino, Some("GPU.1")) && !of(ExecutionProvider::Cuda, None));
    }

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
