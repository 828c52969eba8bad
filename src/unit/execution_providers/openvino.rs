//! Intel CPUs, GPUs and NPUs; Cargo feature `openvino`.

use ort::ep::ExecutionProviderDispatch;

#[cfg(feature = "openvino")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature fails here")]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Ok(ort::ep::OpenVINO::default().build().error_on_failure())
}

#[cfg(not(feature = "openvino"))]
pub(super) fn dispatch() -> Result<ExecutionProviderDispatch, String> {
    Err(super::not_in_this_build(crate::model::execution_provider::ExecutionProvider::OpenVino))
}
