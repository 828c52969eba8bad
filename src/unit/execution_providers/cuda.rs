//! NVIDIA GPUs; Cargo feature `cuda`.

use ort::ep::ExecutionProviderDispatch;

#[cfg(feature = "cuda")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature fails here")]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Ok(ort::ep::CUDA::default().build().error_on_failure())
}

#[cfg(not(feature = "cuda"))]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Err(super::not_in_this_build(crate::model::execution_provider::ExecutionProvider::Cuda))
}
