//! The CPU: in every build of ONNX Runtime.

use super::options::KnownOptions;
use ort::ep::{CPU, ExecutionProviderDispatch};

pub(super) const OPTIONS: KnownOptions = KnownOptions::NONE;

pub(super) fn dispatch() -> ExecutionProviderDispatch {
    // Without the arena every activation is mapped and unmapped at each inference: measured, a third of the CPU went
    // into page faults and an inference took half as long again.
    CPU::default().with_arena_allocator(true).build().error_on_failure()
}
