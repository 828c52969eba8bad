//! Execution providers, one file each. A provider that is not available is an error, because ONNX Runtime must not
//! silently fall back to another one. An option that a provider does not support is refused rather than ignored.

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

/// The options that a provider supports.
fn known_options(provider: ExecutionProvider) -> KnownOptions {
    match provider {
        ExecutionProvider::Cpu => cpu::OPTIONS,
        ExecutionProvider::Cuda => cuda::OPTIONS,
        ExecutionProvider::TensorRt => tensorrt::OPTIONS,
        ExecutionProvider::OpenVino => openvino::OPTIONS,
        ExecutionProvider::Xnnpack => xnnpack::OPTIONS,
    }
}

/// Creates the requested provider for ONNX Runtime.
///
/// # Errors
/// The option that the provider does not support, or that this build does not contain the provider.
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let provider = load.execution_provider;
    if let Some(option) = known_options(provider).first_unknown(&load.provider_options) {
        return Err(format!(
            "the execution provider `{provider}` does not know `{option}`: take it out of `provider_options`, or \
             choose another `execution_provider`"
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

/// Removes an engine cache that cannot be written from the request, and returns the reason. This is not an error: as at
/// the first start, engines are compiled.
pub(super) fn without_unusable_engine_cache(load: &LoadModel) -> (LoadModel, Option<String>) {
    let mut load = load.clone();
    // For other providers, `dispatch` refuses the option.
    let knows_cache = known_options(load.execution_provider).engine_cache_directory;
    let directory = load.provider_options.engine_cache_directory.as_deref().filter(|_| knows_cache);
    let problem = directory.and_then(options::engine_cache_problem);
    if problem.is_some() {
        load.provider_options.engine_cache_directory = None;
    }
    (load, problem)
}

/// False for providers that put code which they have compiled into the graph: ONNX Runtime saves no such graph.
pub(super) fn lets_graph_be_saved(load: &LoadModel) -> bool {
    !matches!(load.execution_provider, ExecutionProvider::OpenVino | ExecutionProvider::TensorRt)
}

/// Threads of the session's pool. XNNPACK has its own pool, and two pools would compete for the same cores.
pub(super) fn session_threads(load: &LoadModel) -> u16 {
    match load.execution_provider {
        ExecutionProvider::Xnnpack => 1,
        _ => load.intra_op_threads.max(1),
    }
}

#[cfg(test)]
mod tests;
