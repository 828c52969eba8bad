//! CUDA for NVIDIA GPUs (Cargo feature `cuda`).

use super::options::KnownOptions;
use crate::ipc::messages::LoadModel;
use ort::ep::ExecutionProviderDispatch;

pub(super) const OPTIONS: KnownOptions = KnownOptions { memory_limit_mb: true, ..KnownOptions::NONE };

#[cfg(feature = "cuda")]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let mut provider = ort::ep::CUDA::default().with_device_id(super::options::gpu_number(load.device.as_deref())?);
    if let Some(bytes) = super::options::memory_limit_bytes(&load.provider_options) {
        provider = provider.with_memory_limit(bytes);
    }
    Ok(provider.build().error_on_failure())
}

#[cfg(not(feature = "cuda"))]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    Err(super::options::not_in_this_build(load.execution_provider))
}
