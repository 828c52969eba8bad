//! `[units]`.

use crate::model::execution_provider::ExecutionProvider;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[units]`: the inference units of the default model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitSettings {
    /// The model's directory under `models_directory`.
    pub model: String,
    /// Where model packages lie.
    pub models_directory: PathBuf,
    /// Units to run; 0: one a core. Measured: two units of one thread give half as much again as one of two.
    pub count: u16,
    /// Threads of one inference.
    pub threads: u16,
    /// What computes. A unit that cannot have it fails to load.
    pub execution_provider: ExecutionProvider,
    /// `libonnxruntime.so`.
    pub runtime_library: PathBuf,
    /// Where optimised graphs are kept between starts; empty: nowhere.
    pub cache_directory: PathBuf,
    /// Seconds a unit may take to load its model.
    pub load_timeout_seconds: f32,
    /// Seconds one inference may take before the unit counts as hung.
    pub inference_timeout_seconds: f32,
    /// Seconds after which a waiting frame is not worth looking at.
    pub max_frame_age_seconds: f32,
}

impl Default for UnitSettings {
    fn default() -> Self {
        Self {
            model: "coco-ssd".into(),
            models_directory: "models".into(),
            count: 0,
            threads: 1,
            execution_provider: ExecutionProvider::Cpu,
            runtime_library: "lib/libonnxruntime.so".into(),
            cache_directory: "cache".into(),
            load_timeout_seconds: 60.0,
            inference_timeout_seconds: 10.0,
            max_frame_age_seconds: 1.0,
        }
    }
}
