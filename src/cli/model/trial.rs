//! Loads a package once, before it is installed.

use crate::appliance::child_environment::child_environment;
use crate::appliance::load_model;
use crate::ipc::child_process::own_binary;
use crate::model::execution_provider::ExecutionProvider;
use crate::model::model_file::ModelVariant;
use crate::settings::Settings;
use crate::supervisor::one_shot::{OneShotError, OneShotUnit};
use std::path::Path;
use std::time::Duration;

/// The memory of ONNX Runtime itself, and four times the model's: it is read, optimised and packed.
const MEMORY_BYTES: u64 = 1 << 30;
const MEMORY_PER_MODEL_BYTE: u64 = 4;

/// Loads a file of the package in a confined unit, which looks at the canary if there is one, and with `is_trial` at what comes out
/// of made-up pictures. Without a cache, so that an
/// untried model leaves nothing behind. On the CPU its memory is limited; drivers of accelerators map more memory than
/// they use, so there only the time is limited.
pub(super) async fn load_once(
    settings: &Settings,
    package: &Path,
    variant: ModelVariant,
    model_bytes: u64,
    is_trial: bool,
) -> Result<(), OneShotError> {
    let mut load = load_model(settings, &settings.default_model(), "").without_caches();
    load.directory = package.to_owned();
    (load.variant, load.is_trial) = (variant, is_trial);
    if load.execution_provider == ExecutionProvider::Cpu {
        load.memory_limit_bytes = Some(MEMORY_BYTES + MEMORY_PER_MODEL_BYTE * model_bytes);
    }
    let environment = child_environment("error", settings.sandbox.mode);
    let limit = Duration::from_secs_f32(settings.units.load_timeout_seconds);
    OneShotUnit::start(own_binary(), environment, load, limit).await.map(drop)
}
