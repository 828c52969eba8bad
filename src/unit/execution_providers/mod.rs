//! What computes: one file a provider. Each fails rather than let ONNX Runtime fall back in silence, and says which
//! options it knows: what it does not know is refused, for an option without effect would pass for one that works.

mod cpu;
mod cuda;
mod openvino;
mod tensorrt;
mod xnnpack;

use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::{ExecutionProvider, Precision, ProviderOptions};
use ort::ep::ExecutionProviderDispatch;

/// What a provider can be told.
#[derive(Clone, Copy, Debug)]
struct KnownOptions {
    memory_limit_mb: bool,
    precisions: &'static [Precision],
    engine_cache_directory: bool,
}

impl KnownOptions {
    /// Of a provider that computes a model as it is.
    const NONE: Self = Self { memory_limit_mb: false, precisions: &[Precision::Fp32], engine_cache_directory: false };

    fn of(provider: ExecutionProvider) -> Self {
        match provider {
            ExecutionProvider::Cpu => cpu::OPTIONS,
            ExecutionProvider::Cuda => cuda::OPTIONS,
            ExecutionProvider::TensorRt => tensorrt::OPTIONS,
            ExecutionProvider::OpenVino => openvino::OPTIONS,
            ExecutionProvider::Xnnpack => xnnpack::OPTIONS,
        }
    }

    /// The first option that is not known, as it would be written.
    fn first_unknown(self, options: &ProviderOptions) -> Option<String> {
        if options.memory_limit_mb.is_some() && !self.memory_limit_mb {
            return Some("memory_limit_mb".to_owned());
        }
        if let Some(precision) = options.precision.filter(|precision| !self.precisions.contains(precision)) {
            return Some(format!("precision = \"{precision}\""));
        }
        let has_cache = options.engine_cache_directory.is_some();
        (has_cache && !self.engine_cache_directory).then(|| "engine_cache_directory".to_owned())
    }
}

/// The provider for ONNX Runtime as it was asked for, or what it or this build cannot do.
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let provider = load.execution_provider;
    if let Some(option) = KnownOptions::of(provider).first_unknown(&load.provider_options) {
        return Err(format!(
            "the execution provider `{provider}` does not know `{option}`: take it out of `provider_options`, or choose another `execution_provider`"
        ));
    }
    match provider {
        ExecutionProvider::Cpu => Ok(cpu::dispatch()),
        ExecutionProvider::Cuda => cuda::dispatch(load),
        ExecutionProvider::TensorRt => tensorrt::dispatch(load),
        ExecutionProvider::OpenVino => openvino::dispatch(load),
        ExecutionProvider::Xnnpack => xnnpack::dispatch(load),
    }
}

/// Threads of the session's own pool. XNNPACK has one itself, and two pools would fight for the same cores.
pub(super) fn session_threads(load: &LoadModel) -> u16 {
    match load.execution_provider {
        ExecutionProvider::Xnnpack => 1,
        _ => load.intra_op_threads.max(1),
    }
}

/// The number of a GPU.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
fn gpu_number(device: Option<&str>) -> Result<i32, String> {
    let number = device.unwrap_or("0").parse::<u16>();
    number.map(i32::from).map_err(|_| format!("`{}` is no GPU: name it by its number", device.unwrap_or_default()))
}

/// The limit in bytes.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
fn memory_limit_bytes(options: &ProviderOptions) -> Option<usize> {
    options.memory_limit_mb.map(|megabytes| usize::try_from(megabytes).unwrap_or(usize::MAX).saturating_mul(1 << 20))
}

/// Engines are written by a thread of the provider, whose errors come late and without a cure.
#[cfg(any(feature = "openvino", feature = "tensorrt"))]
fn engine_cache(options: &ProviderOptions) -> Result<Option<std::path::Display<'_>>, String> {
    let Some(directory) = &options.engine_cache_directory else { return Ok(None) };
    let probe = directory.join(format!(".{}", std::process::id()));
    let written = std::fs::write(&probe, []).and_then(|()| std::fs::remove_file(&probe));
    let shown = directory.display();
    written.map_err(|error| format!("`engine_cache_directory` {shown} cannot be written: {error}"))?;
    Ok(Some(shown))
}

/// What a user is told who asks for a provider that was not compiled in.
#[cfg(not(all(feature = "cuda", feature = "tensorrt", feature = "openvino", feature = "xnnpack")))]
fn not_in_this_build(provider: ExecutionProvider) -> String {
    format!(
        "this build has no `{provider}`: build with `--features {provider}`, or choose another `execution_provider`"
    )
}

#[cfg(test)]
mod tests;
