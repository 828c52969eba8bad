//! What `execution_provider = "auto"` takes for a package: with OpenVINO where `make openvino` has installed it.

use crate::support::{from_setup, root};
use ocelli::appliance::child_environment::child_environment;
use ocelli::engine_choice::{Bench, BenchLimits, Choice, Engine, Room, Wanted, measure_all};
use ocelli::ipc::messages::LoadModel;
use ocelli::model::execution_provider::ExecutionProvider;
use ocelli::os::sandbox::SandboxMode;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The build of ONNX Runtime with OpenVINO, if it is there.
fn libraries() -> BTreeMap<ExecutionProvider, PathBuf> {
    let library = root().join("lib/openvino/libonnxruntime.so");
    library.exists().then_some((ExecutionProvider::OpenVino, library)).into_iter().collect()
}

/// Measures the engines of a package.
pub(crate) fn choose(package: &Path) -> Choice {
    let load = LoadModel {
        directory: package.to_owned(),
        runtime_library: from_setup("lib/libonnxruntime.so"),
        max_batch: 1,
        ..LoadModel::default()
    };
    let limits = BenchLimits {
        load: Duration::from_secs(60),
        looks: Duration::from_secs(60),
        all: Duration::from_secs(300),
        memory_bytes: None,
    };
    let environment = child_environment("error", SandboxMode::Required);
    let program = env!("CARGO_BIN_EXE_ocelli").into();
    let bench = Bench { program, environment, load, libraries: libraries(), limits };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wanted = Wanted { variant: None, most_threads: 1 };
    runtime.block_on(measure_all(&bench, wanted, Room { bytes: None, units: 1 }, |_| {})).unwrap()
}

/// Turns a load to an engine, with its library.
pub(crate) fn apply(engine: Engine, load: &mut LoadModel) {
    engine.apply(load);
    if let Some(library) = libraries().remove(&engine.execution_provider) {
        load.runtime_library = library;
    }
}
