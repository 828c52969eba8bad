//! Loads a package once before anybody may run it.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_model;
use crate::ipc::child_process::own_binary;
use crate::model::execution_provider::ExecutionProvider;
use crate::settings::Settings;
use crate::supervisor::one_shot::{OneShotError, OneShotUnit};
use std::path::Path;
use std::time::Duration;

/// What ONNX Runtime takes for any model, and four times the model: it is read, optimised and packed anew.
const MEMORY_BYTES: u64 = 1 << 30;
const MEMORY_PER_MODEL_BYTE: u64 = 4;

/// A confined unit that infers once, on the canary if the package has one. It has no cache, so that nothing that an
/// unproven model does stays; and on the CPU it may take only so much memory. Drivers of accelerators map more than they
/// use, so that there the time alone is bounded.
pub(super) async fn load_once(settings: &Settings, package: &Path, model_bytes: u64) -> Result<(), OneShotError> {
    let mut load = load_model(settings, &settings.default_model(), "");
    load.directory = package.to_owned();
    load.cache_directory = None;
    if load.execution_provider == ExecutionProvider::Cpu {
        load.memory_limit_bytes = Some(MEMORY_BYTES + MEMORY_PER_MODEL_BYTE * model_bytes);
    }
    let environment = child_environment("error", settings.sandbox.mode);
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    OneShotUnit::start(own_binary(), environment, load, limit).await.map(drop)
}
