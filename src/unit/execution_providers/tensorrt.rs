//! NVIDIA GPUs with compiled engines; Cargo feature `tensorrt`.

use ort::ep::ExecutionProviderDispatch;

#[cfg(feature = "tensorrt")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature fails here")]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Ok(ort::ep::TensorRT::default().build().error_on_failure())
}

#[cfg(not(feature = "tensorrt"))]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Err(super::not_in_this_build(crate::model::execution_provider::ExecutionProvider::TensorRt))
}
