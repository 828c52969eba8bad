//! NVIDIA GPUs; Cargo feature `cuda`.

use ort::ep::ExecutionProviderDispatch;

#[cfg(feature = "cuda")]
pub(super) fn dispatch(device: Option<&str>) -> Result<ExecutionProviderDispatch, String> {
    let number = super::gpu_number(device)?;
    Ok(ort::ep::CUDA::default().with_device_id(number).build().error_on_failure())
}

#[cfg(not(feature = "cuda"))]
pub(super) fn dispatch(_device: Option<&str>) -> Result<ExecutionProviderDispatch, String> {
    Err(super::not_in_this_build(crate::model::execution_provider::ExecutionProvider::Cuda))
}
