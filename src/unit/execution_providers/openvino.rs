//! OpenVINO for Intel CPUs, GPUs and NPUs (Cargo feature `openvino`).

use super::options::KnownOptions;
use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::Precision;
use ort::ep::ExecutionProviderDispatch;

/// No `int8`: OpenVINO runs quantised models directly and has no option for it.
pub(super) const OPTIONS: KnownOptions = KnownOptions {
    memory_limit_mb: false,
    precisions: &[Precision::Fp32, Precision::Fp16],
    engine_cache_directory: true,
};

#[cfg(feature = "openvino")]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let options = &load.provider_options;
    let mut provider = ort::ep::OpenVINO::default().with_num_threads(usize::from(load.intra_op_threads.max(1)));
    if let Some(device) = &load.device {
        provider = provider.with_device_type(device);
    }
    if let Some(precision) = options.precision {
        provider = provider.with_precision(precision.to_string().to_uppercase());
    }
    if let Some(directory) = options.engine_cache_directory.as_deref() {
        provider = provider.with_cache_dir(directory.display());
    }
    Ok(provider.build().error_on_failure())
}

#[cfg(not(feature = "openvino"))]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    Err(super::options::not_in_this_build(load.execution_provider))
}
