//! What computes: one file a provider. Each fails rather than let ONNX Runtime fall back in silence, and says which
//! options it knows: what it does not know is refused, for an option without effect would pass for one that works.

mod cpu;
mod cuda;
mod openvino;
mod options;
mod tensorrt;
mod xnnpack;

use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::ExecutionProvider;
use options::KnownOptions;
use ort::ep::ExecutionProviderDispatch;

/// The options that a provider knows.
fn known_options(provider: ExecutionProvider) -> KnownOptions {
    match provider {
        ExecutionProvider::Cpu => cpu::OPTIONS,
        ExecutionProvider::Cuda => cuda::OPTIONS,
        ExecutionProvider::TensorRt => tensorrt::OPTIONS,
        ExecutionProvider::OpenVino => openvino::OPTIONS,
        ExecutionProvider::Xnnpack => xnnpack::OPTIONS,
    }
}

/// The provider for ONNX Runtime as it was asked for, or what it or this build cannot do.
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let provider = load.execution_provider;
    if let Some(option) = known_options(provider).first_unknown(&load.provider_options) {
        return Err(format!(
            "the execution provider `{provider}` does not know `{option}`: take it out of `provider_options`, or choose another `execution_provider`"
        ));
    }
    match provider {
        ExecutionProvider::Cpu => Ok(cpu::dispatch()),
        ExecutionProvider::Cuda => cuda::dispatch(load),
        ExecutionProvider::TensorRt => tensorrt::dispatch(load),
        ExecutionProvider::OpenVino => openvino::dispatch(load),
        ExecutionProvider::Xnnpack => xnnpack::dispatch(load),
    }
}

/// What to load, without an engine cache that cannot be written, and why. The first load had no engines either, so
/// compiling them again is no reason to fail.
pub(super) fn without_unusable_engine_cache(load: &LoadModel) -> (LoadModel, Option<String>) {
    let mut load = load.clone();
    // A provider that does not know the option refuses it by its name.
    let knows_cache = known_options(load.execution_provider).engine_cache_directory;
    let directory = load.provider_options.engine_cache_directory.as_deref().filter(|_| knows_cache);
    let problem = directory.and_then(options::engine_cache_problem);
    if problem.is_some() {
        load.provider_options.engine_cache_directory = None;
    }
    (load, problem)
}

/// Threads of the session's own pool. XNNPACK has one itself, and two pools would fight for the same cores.
pub(super) fn session_threads(load: &LoadModel) -> u16 {
    match load.execution_provider {
        ExecutionProvider::Xnnpack => 1,
        _ => load.intra_op_threads.max(1),
    }
}

#[cfg(test)]
mod tests;
