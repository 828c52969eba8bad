//! `[units]`, `[[models]]` and `[[zones]]`.

use crate::model::execution_provider::{ExecutionProvider, ProviderOptions};
use crate::vision::framing::Tiling;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[units]`: what all inference units share, and what the box can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitSettings {
    /// Where model packages lie.
    pub models_directory: PathBuf,
    /// `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// Where optimised graphs are kept between starts; empty: nowhere.
    pub cache_directory: PathBuf,
    /// Units of all models together; 0: twice the cores.
    pub max_units: u16,
    /// Models that run at a time.
    pub max_models: u16,
    /// Megabytes that stay free beside the units.
    pub memory_reserve_mb: u32,
    /// Seconds until a zone that is out is tried again.
    pub zone_probe_seconds: f32,
    /// Seconds a unit may take to load its model.
    pub load_timeout_seconds: f32,
    /// Seconds one inference may take before the unit counts as hung.
    pub inference_timeout_seconds: f32,
    /// Seconds after which a waiting frame is not worth looking at.
    pub max_frame_age_seconds: f32,
    /// Seconds that an image may wait for a unit; what would wait longer is refused at once.
    pub max_queue_seconds: f32,
}

impl Default for UnitSettings {
    fn default() -> Self {
        Self {
            models_directory: "models".into(),
            runtime_library: "lib/libonnxruntime.so".into(),
            cache_directory: "cache".into(),
            max_units: 0,
            max_models: 4,
            memory_reserve_mb: 256,
            zone_probe_seconds: 60.0,
            load_timeout_seconds: 60.0,
            inference_timeout_seconds: 10.0,
            max_frame_age_seconds: 1.0,
            max_queue_seconds: 1.0,
        }
    }
}

/// `tps_limit`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TpsLimitSetting {
    /// So many a second.
    Fixed(f64),
    /// By name.
    Named(MeasuredLimit),
}

/// A limit that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeasuredLimit {
    /// What the units in service can do.
    Auto,
}

/// One of `[[models]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// Names it in topics, commands and `cameras.model`.
    pub name: String,
    /// The package's directory under `models_directory`; empty: the name.
    pub package: String,
    /// The least units; 0: one a core. Measured: two units of one thread give half as much again as one of two.
    pub min_inference_units: u16,
    /// The most units; 0: the number is fixed at the minimum.
    pub max_inference_units: u16,
    /// Threads of one inference.
    pub threads: u16,
    /// Pictures that a unit looks at together at most, 1..=64, where the model takes any number and it was measured to
    /// be faster. On a CPU it is not.
    pub max_batch: u16,
    /// What computes. A unit that cannot have it fails to load.
    pub execution_provider: ExecutionProvider,
    /// Which of its devices: `"1"` of several GPUs; OpenVINO's are `"CPU"`, `"GPU.1"`, `"NPU"`. None: its first. A
    /// zone's wins.
    pub device: Option<String>,
    /// What the provider is told; a zone with another provider goes without.
    pub provider_options: ProviderOptions,
    /// Images a second from outside: a number, or `"auto"` for what the units can do; none: no limit but the queue's.
    pub tps_limit: Option<TpsLimitSetting>,
    /// The units' share for images while cameras want more than the rest, 0..=1.
    pub image_share: f32,
    /// The tiles of an image from outside that are looked at one by one; none: it is looked at once.
    pub image_tiles: Option<Tiling>,
    /// It starts with the daemon, unless it was stopped by a command.
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
            execution_provider: ExecutionProvider::Cpu,
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

/// One of `[[zones]]`: what fails together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZoneSettings {
    /// Names it in the state.
    pub name: String,
    /// The cores of its units; none: any.
    pub cores: Vec<u16>,
    /// The NUMA node whose cores they are, instead of naming them.
    pub numa_node: Option<u16>,
    /// What computes there, if not what the model says.
    pub execution_provider: Option<ExecutionProvider>,
    /// Which of its devices. None: the model's, or with another provider its first.
    pub device: Option<String>,
}
