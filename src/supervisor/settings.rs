//! `[units]`, `[[models]]` and `[[zones]]`.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use crate::model::model_file::ModelVariant;
use crate::model::provider_setting::ProviderSetting;
use crate::vision::framing::Tiling;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `[units]`: settings of all inference units, and the limits of the box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitSettings {
    /// The directory of the model packages.
    pub models_directory: PathBuf,
    /// The path of `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// The paths of other builds of it, by the execution provider for which a unit loads them.
    pub runtime_libraries: BTreeMap<ExecutionProvider, PathBuf>,
    /// The directory where optimised graphs are cached; empty: no cache.
    pub cache_directory: PathBuf,
    /// The most units of all models together; 0: twice the number of cores.
    pub max_units: u16,
    /// The most models that run at the same time.
    pub max_models: u16,
    /// Megabytes of memory that units must leave free.
    pub memory_reserve_mb: u32,
    /// The most memory of a unit on the CPU in MiB, without what it shares; 0: no limit.
    pub memory_megabytes: u32,
    /// Seconds until a zone that is out of service is probed.
    pub zone_probe_seconds: f32,
    /// Seconds a unit may take to load its model.
    pub load_timeout_seconds: f32,
    /// Seconds one inference may take before the unit counts as hung.
    pub inference_timeout_seconds: f32,
    /// Seconds after which a waiting frame is stale and dropped.
    pub max_frame_age_seconds: f32,
    /// Seconds that an image may wait for a unit; one that would wait longer is refused at once.
    pub max_queue_seconds: f32,
}

impl Default for UnitSettings {
    fn default() -> Self {
        Self {
            models_directory: "models".into(),
            runtime_library: "lib/libonnxruntime.so".into(),
            runtime_libraries: BTreeMap::new(),
            cache_directory: "cache".into(),
            max_units: 0,
            max_models: 4,
            memory_reserve_mb: 256,
            memory_megabytes: 4096,
            zone_probe_seconds: 60.0,
            load_timeout_seconds: 60.0,
            inference_timeout_seconds: 10.0,
            max_frame_age_seconds: 1.0,
            max_queue_seconds: 1.0,
        }
    }
}

impl UnitSettings {
    /// The library that a unit loads for a provider.
    pub fn library_of(&self, provider: ExecutionProvider) -> &Path {
        self.runtime_libraries.get(&provider).unwrap_or(&self.runtime_library)
    }
}

/// `tps_limit`: a number, `"auto"` or `"none"`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TpsLimitSetting {
    /// Transactions a second.
    Fixed(f64),
    /// A limit that is no number.
    Named(NamedLimit),
}

/// A limit that is no number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedLimit {
    /// What the units in service can do.
    Auto,
    /// Only the queue limits images, as without the key.
    None,
}

/// One of `[[models]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The model's name in topics, commands and `cameras.model`.
    pub name: String,
    /// The package's directory under `models_directory`; empty: the name.
    pub package: String,
    /// The minimum number of units; 0: one per core. By measurement, two units with one thread have 1.5 times the
    /// throughput of one unit with two threads.
    pub min_inference_units: u16,
    /// The maximum number of units; 0: fixed at the minimum.
    pub max_inference_units: u16,
    /// Threads of one inference; with a provider that is chosen by measurement, the most of them.
    pub threads: u16,
    /// The largest batch in pictures, 1..=64. More than 1 needs a model with a dynamic batch size, and pays only where
    /// it was measured to be faster. On a CPU it is not.
    pub max_batch: u16,
    /// The file of the package: `float`, or `int8` where the package has one. A unit fails to load where it has not. `None`:
    /// float, or with a provider that is chosen by measurement, what is faster.
    pub variant: Option<ModelVariant>,
    /// The execution provider. A unit fails to load where it is not available. `auto` takes what is fastest here.
    pub execution_provider: ProviderSetting,
    /// The provider's device, such as `"1"` for the second GPU; OpenVINO has `"CPU"`, `"GPU.1"`, `"NPU"`. `None`: the
    /// first. A zone's device overrides it.
    pub device: Option<String>,
    /// The provider's options. They do not apply in a zone with another provider.
    pub provider_options: ProviderOptions,
    /// The limit of image transactions a second, or `"auto"` for what the units can do. `"none"` and no
    /// key: only the queue limits them.
    pub tps_limit: Option<TpsLimitSetting>,
    /// The images' share of the units while frames are waiting too, 0..=1.
    pub image_share: f32,
    /// The tiles of an image, analysed one by one; `None`: the image is analysed as a whole.
    pub image_tiles: Option<Tiling>,
    /// The model starts with the daemon, unless a command stopped it.
    pub enabled: bool,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            name: "coco-ssd".into(),
            package: String::new(),
            min_inference_units: 0,
            max_inference_units: 0,
            threads: 1,
            max_batch: 1,
            variant: None,
            execution_provider: ProviderSetting::Cpu,
            device: None,
            provider_options: ProviderOptions::default(),
            tps_limit: None,
            image_share: 0.5,
            image_tiles: None,
            enabled: true,
        }
    }
}

impl ModelSettings {
    /// The package's directory under `models_directory`.
    pub fn package(&self) -> &str {
        if self.package.is_empty() { &self.name } else { &self.package }
    }
}

/// One of `[[zones]]`: hardware that fails together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZoneSettings {
    /// The zone's name in the status.
    pub name: String,
    /// The cores of its units; empty: any.
    pub cores: Vec<u16>,
    /// The NUMA node whose cores are used, instead of `cores`.
    pub numa_node: Option<u16>,
    /// Overrides the model's execution provider.
    pub execution_provider: Option<ExecutionProvider>,
    /// The provider's device. `None`: the model's, or the first one of an overridden provider.
    pub device: Option<String>,
}
