//! TensorRT for NVIDIA GPUs, with compiled engines (Cargo feature `tensorrt`).

use super::options::KnownOptions;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::Precision;
use ort::ep::ExecutionProviderDispatch;

pub(super) const OPTIONS: KnownOptions = KnownOptions {
    memory_limit_mb: true,
    precisions: &[Precision::Fp32, Precision::Fp16, Precision::Int8],
    engine_cache_directory: true,
};

#[cfg(feature = "tensorrt")]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let options = &load.provider_options;
    let mut provider = ort::ep::TensorRT::default().with_device_id(super::options::gpu_number(load.device.as_deref())?);
    if let Some(bytes) = super::options::memory_limit_bytes(options) {
        provider = provider.with_max_workspace_size(bytes);
    }
    provider = match options.precision {
        None | Some(Precision::Fp32) => provider,
        Some(Precision::Fp16) => provider.with_fp16(true),
        // Layers without an 8-bit kernel or a scale use 16 bits.
        Some(Precision::Int8) => provider.with_int8(true).with_fp16(true),
    };
    if let Some(directory) = options.engine_cache_directory.as_deref().map(std::path::Path::display) {
        provider = provider
            .with_engine_cache(true)
            .with_engine_cache_path(&directory)
            .with_timing_cache(true)
            .with_timing_cache_path(&directory);
    }
    Ok(provider.build().error_on_failure())
}

#[cfg(not(feature = "tensorrt"))]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    Err(super::options::not_in_this_build(load.execution_provider))
}
