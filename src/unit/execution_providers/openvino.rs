//! Intel CPUs, GPUs and NPUs; Cargo feature `openvino`.

use ort::ep::ExecutionProviderDispatch;

#[cfg(feature = "openvino")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature fails here")]
pub(super) fn dispatch(device: Option<&str>) -> Result<ExecutionProviderDispatch, String> {
    let provider = ort::ep::OpenVINO::default();
    let provider = device.into_iter().fold(provider, |provider, device| provider.with_device_type(device));
    Ok(provider.build().error_on_failure())
}

#[cfg(not(feature = "openvino"))]
pub(super) fn dispatch(_device: Option<&str>) -> Result<ExecutionProviderDispatch, String> {
    Err(super::not_in_this_build(crate::model::execution_provider::ExecutionProvider::OpenVino))
}
