//! Which options each provider supports and refuses. Inference needs a box with the accelerator.

use super::*;
use crate::model::execution_provider::{Precision, ProviderOptions};
use ExecutionProvider::{Cpu, Cuda, OpenVino, TensorRt, Xnnpack};

fn refused(execution_provider: ExecutionProvider, provider_options: ProviderOptions) -> Option<String> {
    let load = LoadModel { execution_provider, provider_options, ..LoadModel::default() };
    dispatch(&load).err()
}

/// The reason, unless it is that the provider is not in this build.
fn refused_option(provider: ExecutionProvider, options: ProviderOptions) -> Option<String> {
    refused(provider, options).filter(|reason| reason.contains("does not know"))
}

#[test]
fn an_option_that_a_provider_does_not_support_is_refused_by_name() {
    let memory = || ProviderOptions { memory_limit_mb: Some(512), ..ProviderOptions::default() };
    let precision = |precision| ProviderOptions { precision: Some(precision), ..ProviderOptions::default() };
    let home = tempfile::tempdir().unwrap();
    let directory = Some(home.path().to_owned());
    let cache = || ProviderOptions { engine_cache_directory: directory.clone(), ..ProviderOptions::default() };
    let cases = [
        (memory(), "memory_limit_mb", &[Cuda, TensorRt][..]),
        (precision(Precision::Fp32), "", &ExecutionProvider::ALL),
        (precision(Precision::Fp16), "precision = \"fp16\"", &[TensorRt, OpenVino]),
        (precision(Precision::Int8), "precision = \"int8\"", &[TensorRt]),
        (cache(), "engine_cache_directory", &[TensorRt, OpenVino]),
        (ProviderOptions::default(), "", &ExecutionProvider::ALL),
    ];
    for (options, name, known_by) in cases {
        for provider in ExecutionProvider::ALL {
            let reason = refused_option(provider, options.clone());
            assert_eq!(reason.is_none(), known_by.contains(&provider), "{provider} with {options:?}: {reason:?}");
            if let Some(reason) = reason {
                assert!(reason.contains(&format!("`{provider}` does not know `{name}`")), "{reason}");
            }
        }
    }
}

#[test]
fn a_provider_that_was_not_compiled_in_names_its_feature() {
    let compiled_in = [
        (Cpu, true),
        (Cuda, cfg!(feature = "cuda")),
        (TensorRt, cfg!(feature = "tensorrt")),
        (OpenVino, cfg!(feature = "openvino")),
        (Xnnpack, cfg!(feature = "xnnpack")),
    ];
    for (provider, is_there) in compiled_in {
        let reason = refused(provider, ProviderOptions::default());
        let cure = format!("build with `--features {provider}`");
        assert_eq!(reason.is_none(), is_there, "{provider}: {reason:?}");
        assert!(reason.is_none_or(|reason| reason.contains(&cure)));
    }
}

#[test]
fn an_engine_cache_that_cannot_be_written_is_left_out_with_its_reason() {
    let home = tempfile::tempdir().unwrap();
    let usable = |execution_provider, directory: &std::path::Path| {
        let provider_options =
            ProviderOptions { engine_cache_directory: Some(directory.to_owned()), ..ProviderOptions::default() };
        let load = LoadModel { execution_provider, provider_options, ..LoadModel::default() };
        let (load, problem) = without_unusable_engine_cache(&load);
        (load.provider_options.engine_cache_directory.is_some(), problem)
    };
    assert_eq!(usable(TensorRt, home.path()), (true, None));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "the probe is removed");
    let (is_there, problem) = usable(OpenVino, "/proc/engines".as_ref());
    let problem = problem.unwrap();
    assert!(
        !is_there && problem.contains("/proc/engines") && problem.contains("`engine_cache_directory`"),
        "{problem}"
    );
    assert_eq!(usable(Cpu, "/proc/engines".as_ref()), (true, None), "the option itself is refused");
}
