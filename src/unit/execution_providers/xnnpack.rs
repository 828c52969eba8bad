//! XNNPACK, Google's kernels for CPUs (Cargo feature `xnnpack`).

use super::options::KnownOptions;
use crate::ipc::messages::LoadModel;
use ort::ep::ExecutionProviderDispatch;

pub(super) const OPTIONS: KnownOptions = KnownOptions::NONE;

#[cfg(feature = "xnnpack")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the feature fails here")]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    let threads =
        std::num::NonZeroUsize::new(usize::from(load.intra_op_threads)).unwrap_or(std::num::NonZeroUsize::MIN);
    Ok(ort::ep::XNNPACK::default().with_intra_op_num_threads(threads).build().error_on_failure())
}

#[cfg(not(feature = "xnnpack"))]
pub(super) fn dispatch(load: &LoadModel) -> Result<ExecutionProviderDispatch, String> {
    Err(super::options::not_in_this_build(load.execution_provider))
}
