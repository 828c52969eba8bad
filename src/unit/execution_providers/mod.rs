//! What computes: one file a provider. Each fails rather than let ONNX Runtime fall back in silence.

mod cpu;
mod cuda;
mod openvino;
mod tensorrt;

use crate::model::execution_provider::ExecutionProvider;
use ort::ep::ExecutionProviderDispatch;

/// The provider for ONNX Runtime on one of its devices (its first, if none is named), or what this build lacks.
pub(super) fn dispatch(provider: ExecutionProvider, device: Option<&str>) -> Result<ExecutionProviderDispatch, String> {
    match provider {
        ExecutionProvider::Cpu => Ok(cpu::dispatch()),
        ExecutionProvider::Cuda => cuda::dispatch(device),
        ExecutionProvider::TensorRt => tensorrt::dispatch(device),
        ExecutionProvider::OpenVino => openvino::dispatch(device),
    }
}

/// The number of a GPU.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
fn gpu_number(device: Option<&str>) -> Result<i32, String> {
    let number = device.unwrap_or("0").parse::<u16>();
    number.map(i32::from).map_err(|_| format!("`{}` is no GPU: name it by its number", device.unwrap_or_default()))
}

/// What a user is told who asks for a provider that was not compiled in.
#[cfg(not(all(feature = "cuda", feature = "tensorrt", feature = "openvino")))]
fn not_in_this_build(provider: ExecutionProvider) -> String {
    format!(
        "this build has no `{provider}`: build with `--features {provider}`, or choose another `execution_provider`"
    )
}
