//! Shared by the providers: which options each supports, and how options are converted.

#[cfg(not(all(feature = "cuda", feature = "tensorrt", feature = "openvino", feature = "xnnpack")))]
use crate::model::execution_provider::ExecutionProvider;
use crate::model::execution_provider::{Precision, ProviderOptions};
use std::path::Path;

/// The options that a provider supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownOptions {
    pub(super) memory_limit_mb: bool,
    pub(super) precisions: &'static [Precision],
    pub(super) engine_cache_directory: bool,
}

impl KnownOptions {
    /// Options of a provider that runs a model unchanged.
    pub(super) const NONE: Self =
        Self { memory_limit_mb: false, precisions: &[Precision::Fp32], engine_cache_directory: false };

    /// The first unsupported option, as it is written in the settings.
    pub(super) fn first_unknown(self, options: &ProviderOptions) -> Option<String> {
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

/// Parses the index of a GPU; 0 if none is set.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
pub(super) fn gpu_number(device: Option<&str>) -> Result<i32, String> {
    let number = device.unwrap_or("0").parse::<u16>();
    number.map(i32::from).map_err(|_| format!("`{}` is not a GPU index, such as 0", device.unwrap_or_default()))
}

/// The memory limit in bytes.
#[cfg(any(feature = "cuda", feature = "tensorrt"))]
pub(super) fn memory_limit_bytes(options: &ProviderOptions) -> Option<usize> {
    options.memory_limit_mb.map(|megabytes| usize::try_from(megabytes).unwrap_or(usize::MAX).saturating_mul(1 << 20))
}

/// Why a provider cannot write its engines to `directory`, with the remedy. Checked here, because the provider would
/// report it late and without a remedy, or never.
pub(super) fn engine_cache_problem(directory: &Path) -> Option<String> {
    let probe = directory.join(format!(".{}", std::process::id()));
    let written = std::fs::write(&probe, [1]);
    // Also after a failed write, which may leave the file.
    let removed = std::fs::remove_file(&probe);
    let error = written.and(removed).err()?;
    Some(format!(
        "the engine cache {} cannot be written, so engines are compiled at each start ({error}); make room in it, or \
         correct `engine_cache_directory` in `provider_options`",
        directory.display()
    ))
}

/// The error for a provider that was not compiled in.
#[cfg(not(all(feature = "cuda", feature = "tensorrt", feature = "openvino", feature = "xnnpack")))]
pub(super) fn not_in_this_build(provider: ExecutionProvider) -> String {
    format!(
        "this build has no `{provider}`: build with `--features {provider}`, or choose another `execution_provider`"
    )
}
