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

/// What OpenVINO's CPU plugin is told, as JSON (`load_config` of the provider). Left alone it pins the thread that infers to the
/// first core that the process may use, and does so in each process: two units would share one core.
#[cfg(feature = "openvino")]
fn cpu_plugin(threads: u16) -> String {
    format!(r#"{{"CPU":{{"ENABLE_CPU_PINNING":"NO","INFERENCE_NUM_THREADS":{threads},"NUM_STREAMS":1}}}}"#)
}

#[cfg(feature = "openvino")]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    use ort::ep::ArbitrarilyConfigurableExecutionProvider as _;
    let (options, threads) = (&load.provider_options, load.intra_op_threads.max(1));
    let mut provider = ort::ep::OpenVINO::default().with_num_threads(usize::from(threads));
    provider = provider.with_device_type(load.device.as_deref().unwrap_or("CPU"));
    if load.computes_on_cores() {
        provider = provider.with_arbitrary_config("load_config", cpu_plugin(threads));
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
