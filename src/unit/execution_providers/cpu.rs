//! The CPU: in every build of ONNX Runtime.

use ort::ep::{CPU, ExecutionProviderDispatch};

pub(super) fn dispatch() -> ExecutionProviderDispatch {
    CPU::default().build().error_on_failure()
}
