//! ONNX Runtime's environment and sessions: from the model, or from its optimised graph in the cache.

use crate::ipc::messages::LoadModel;
use crate::model::manifest::Manifest;
use crate::unit::execution_providers;
use crate::unit::load_error::LoadError;
use crate::unit::model_cache::CacheEntry;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use std::path::Path;

/// Loads the library. Once a process.
pub(super) fn environment(library: &Path) -> Result<ort::environment::Environment, LoadError> {
    let failed = |reason: String| LoadError::Library { path: library.display().to_string(), reason };
    // The loader would look for a bare name elsewhere; what the settings name is what is loaded.
    let path = std::path::absolute(library).map_err(|error| failed(error.to_string()))?;
    if !path.exists() {
        return Err(failed("there is no such file".into()));
    }
    let builder = ort::init_from(&path).map_err(|error| failed(error.to_string()))?;
    builder.with_name("ocelli").build().map_err(|error| failed(error.to_string()))
}

/// The session from the cached graph if there is one, else from the model, which then goes into the cache.
pub(super) fn open(
    load: &LoadModel,
    manifest: &Manifest,
    path: &Path,
    environment: &ort::environment::Environment,
) -> Result<(Session, bool), LoadError> {
    let failed = |reason: String| LoadError::Model { path: path.display().to_string(), reason };
    let build = || session_builder(load, environment);
    let Some(directory) = &load.cache_directory else {
        let session = build()?.commit_from_file(path).map_err(|error| failed(error.to_string()))?;
        return Ok((session, false));
    };
    let provider_and_build = format!("{} {}", load.execution_provider, ort::info());
    let entry = CacheEntry::new(directory, &manifest.model.checksums(), &provider_and_build);
    if let Some(graph) = entry.map() {
        match from_graph(build()?, graph) {
            Ok(session) => return Ok((session, true)),
            Err(error) => {
                tracing::warn!(%error, "a cached graph cannot be used; it is made again");
                entry.remove();
            }
        }
    }
    let made = entry.make(|target| {
        let saved = build()?
            .with_config_entry("session.save_model_format", "ORT")
            // It would warn that the graph suits this CPU only, which is what the cache's key is for.
            .and_then(|builder| builder.with_log_level(LogLevel::Error))
            .and_then(|builder| builder.with_optimized_model_path(target));
        let mut builder = saved.map_err(|error| failed(error.to_string()))?;
        // The session itself is not wanted: the mapped graph takes less memory.
        drop(builder.commit_from_file(path).map_err(|error| failed(error.to_string()))?);
        Ok::<(), LoadError>(())
    });
    match made {
        Ok(()) => {}
        Err(LoadError::Io(error)) => {
            tracing::warn!(%error, directory = %directory.display(), "the model cache cannot be written; units start slower");
        }
        Err(error) => return Err(error),
    }
    match entry.map() {
        Some(graph) => {
            let session = from_graph(build()?, graph).map_err(|error| failed(error.to_string()))?;
            Ok((session, false))
        }
        None => {
            let session = build()?.commit_from_file(path).map_err(|error| failed(error.to_string()))?;
            Ok((session, false))
        }
    }
}

/// The graph lives as long as the process, so the session may use its bytes in place.
fn from_graph(builder: SessionBuilder, graph: &'static [u8]) -> Result<Session, String> {
    let builder = builder
        .with_config_entry("session.load_model_format", "ORT")
        .and_then(|builder| builder.with_config_entry("session.use_ort_model_bytes_directly", "1"))
        .and_then(|builder| builder.with_config_entry("session.use_ort_model_bytes_for_initializers", "1"))
        // The graph has been optimised when it was saved.
        .and_then(|builder| builder.with_optimization_level(GraphOptimizationLevel::Disable));
    builder.map_err(|error| error.to_string())?.commit_from_memory(graph).map_err(|error| error.to_string())
}

fn session_builder(load: &LoadModel, environment: &ort::environment::Environment) -> Result<SessionBuilder, LoadError> {
    let provider = execution_providers::dispatch(load.execution_provider, load.device.as_deref())
        .map_err(LoadError::ExecutionProvider)?;
    let named = |reason: String| {
        LoadError::ExecutionProvider(format!("the execution provider `{}` fails: {reason}", load.execution_provider))
    };
    let builder = Session::builder(environment).map_err(|error| named(error.to_string()))?;
    builder
        .with_intra_threads(usize::from(load.intra_op_threads.max(1)))
        // Spinning doubles the CPU time of a paced camera and wins nothing (measured).
        .and_then(|builder| builder.with_intra_op_spinning(false))
        .and_then(|builder| builder.with_inter_op_spinning(false))
        .and_then(|builder| builder.with_execution_providers([provider]))
        .map_err(|error| named(error.to_string()))
}

/// The commit that the library was built from: it has no other name for itself that can be asked for.
pub(super) fn runtime_version() -> String {
    let info = ort::info();
    let commit = info.split(',').find_map(|part| part.split_once("git-commit-id=")).map(|(_, commit)| commit.trim());
    commit.unwrap_or(info).to_owned()
}
