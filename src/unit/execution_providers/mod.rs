//! What computes: one file a provider. Each fails rather than let ONNX Runtime fall back in silence.

mod cpu;
mod cuda;
mod openvino;
mod tensorrt;

use crate::model::execution_provider::ExecutionProvider;
use ort::ep::ExecutionProviderDispatch;

/// The provider for ONNX Runtime, or what this build lacks.
pub(super) fn dispatch(provider: ExecutionProvider) -> Result<ExecutionProviderDispatch, String> {
    match provider {
        ExecutionProvider::Cpu => Ok(cpu::dispatch()),
        ExecutionProvider::Cuda => cuda::dispatch(),
        ExecutionProvider::TensorRt => tensorrt::dispatch(),
        ExecutionProvider::OpenVino => openvino::dispatch(),
    }
}

/// What a user is told who asks for a provider that was not compiled in.
#[cfg(not(all(feature = "cuda", feature = "tensorrt", feature = "openvino")))]
fn not_in_this_build(provider: ExecutionProvider) -> String {
    format!("this build has no `{provider}`: build with `--features {provider}`, or set `units.execution_provider`")
}
