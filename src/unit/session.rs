//! ONNX Runtime's environment and sessions: from the model, or from its optimised graph in the cache.

use crate::ipc::messages::LoadModel;
use crate::model::execution_provider::{ExecutionProvider, NodeCounts};
use crate::model::manifest::Manifest;
use crate::unit::execution_providers;
use crate::unit::load_error::LoadError;
use crate::unit::model_cache::CacheEntry;
use crate::unit::node_placements::NodePlacements;
use crate::vision::error_chain::describe;
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

/// A session that is ready to compute.
pub(super) struct Opened {
    pub(super) session: Session,
    /// The cache had its graph.
    pub(super) from_cache: bool,
    /// Why the cache could not be used, with the cure; for the operator.
    pub(super) cache_problem: Option<String>,
    /// What computes its nodes.
    pub(super) nodes: NodeCounts,
}

/// The session from the cached graph if there is one, else from the model, which then goes into the cache.
///
/// # Errors
/// [`LoadError`], also when no node is on the provider that was asked for. A cache that cannot be used is no error.
pub(super) fn open(
    load: &LoadModel,
    manifest: &Manifest,
    path: &Path,
    environment: &ort::environment::Environment,
) -> Result<Opened, LoadError> {
    let placements = NodePlacements::default();
    let build = || {
        let builder = session_builder(load, environment)?;
        placements.listen(builder).map_err(|error| LoadError::ExecutionProvider(error.to_string()))
    };
    let (session, from_cache, cache_problem) = session(load, manifest, path, &build)?;
    let nodes = placements.counts();
    check_nodes(load.execution_provider, &nodes).map_err(LoadError::ExecutionProvider)?;
    Ok(Opened { session, from_cache, cache_problem, nodes })
}

/// A provider may be there and take nothing of this graph: the CPU would compute all of it, in silence.
fn check_nodes(provider: ExecutionProvider, nodes: &NodeCounts) -> Result<(), String> {
    if nodes.0.is_empty() {
        tracing::warn!(%provider, "ONNX Runtime does not say what computes the nodes of the model");
    } else if nodes.of(provider) == 0 {
        return Err(format!(
            "the execution provider `{provider}` takes none of the model's nodes ({nodes}): choose another `execution_provider`, or a model that suits it"
        ));
    }
    Ok(())
}

fn session(
    load: &LoadModel,
    manifest: &Manifest,
    path: &Path,
    build: &dyn Fn() -> Result<SessionBuilder, LoadError>,
) -> Result<(Session, bool, Option<String>), LoadError> {
    let from_model = || {
        let failed = |reason: String| LoadError::Model { path: path.display().to_string(), reason };
        build()?.commit_from_file(path).map_err(|error| failed(error.to_string()))
    };
    let Some(directory) = &load.cache_directory else { return Ok((from_model()?, false, None)) };
    let provider_and_build = format!("{} {}", load.execution_provider, ort::info());
    let entry = CacheEntry::new(directory, &manifest.model.checksums(), &provider_and_build);
    entry.sweep();
    if let Some(graph) = entry.map() {
        match from_graph(build()?, graph) {
            Ok(session) => return Ok((session, true, None)),
            Err(error) => {
                tracing::warn!(%error, "a cached graph cannot be used; it is made again");
                entry.remove();
            }
        }
    }
    match cached(&entry, path, build) {
        Ok(session) => Ok((session, false, None)),
        Err(reason) => {
            // If it is the model that is bad, and not the cache, this says so.
            let session = from_model()?;
            let problem = format!(
                "the model cache {} cannot be used, so units start slower ({reason}); make room in it, or set \
                 units.cache_directory to another directory",
                directory.display()
            );
            tracing::warn!(problem, "the model is loaded without the cache");
            Ok((session, false, Some(problem)))
        }
    }
}

/// Makes the graph, and a session from it: the mapped graph takes less memory than the session that makes it.
///
/// # Errors
/// Whatever keeps the graph from being written and read back: a full, read-only or failing disk. ONNX Runtime reports its
/// own failure to save as a failure to load.
fn cached(
    entry: &CacheEntry,
    path: &Path,
    build: &dyn Fn() -> Result<SessionBuilder, LoadError>,
) -> Result<Session, String> {
    let made = entry.make(|target| {
        let saved = build()?
            .with_config_entry("session.save_model_format", "ORT")
            // It would warn that the graph suits this CPU only, which is what the cache's key is for. What computes
            // its nodes is decided anew by the session that works.
            .and_then(|builder| builder.with_log_level(LogLevel::Error))
            .and_then(|builder| builder.with_optimized_model_path(target));
        let failed = |reason: String| LoadError::Model { path: path.display().to_string(), reason };
        let mut builder = saved.map_err(|error| failed(error.to_string()))?;
        drop(builder.commit_from_file(path).map_err(|error| failed(error.to_string()))?);
        Ok::<(), LoadError>(())
    });
    made.map_err(|error| describe(&error))?;
    let graph = entry.map().ok_or("it cannot be read back")?;
    from_graph(build().map_err(|error| describe(&error))?, graph)
}

/// The graph lives as long as the process, so the session may use its bytes in place, but for the weights
/// (`use_ort_model_bytes_for_initializers`): they lie in it as they come, not aligned for vector loads. In place they made
/// an inference 10 % slower, and one of YOLOX nano 4.7 times (measured); their copies cost each unit their size in memory.
fn from_graph(builder: SessionBuilder, graph: &'static [u8]) -> Result<Session, String> {
    let builder = builder
        .with_config_entry("session.load_model_format", "ORT")
        .and_then(|builder| builder.with_config_entry("session.use_ort_model_bytes_directly", "1"))
        // The graph has been optimised when it was saved.
        .and_then(|builder| builder.with_optimization_level(GraphOptimizationLevel::Disable));
    builder.map_err(|error| error.to_string())?.commit_from_memory(graph).map_err(|error| error.to_string())
}

fn session_builder(load: &LoadModel, environment: &ort::environment::Environment) -> Result<SessionBuilder, LoadError> {
    let provider = execution_providers::dispatch(load).map_err(LoadError::ExecutionProvider)?;
    let named = |reason: String| {
        LoadError::ExecutionProvider(format!("the execution provider `{}` fails: {reason}", load.execution_provider))
    };
    let builder = Session::builder(environment).map_err(|error| named(error.to_string()))?;
    builder
        .with_intra_threads(usize::from(execution_providers::session_threads(load)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_without_a_node_is_refused_and_unknown_counts_are_not() {
        let mut nodes = NodeCounts::default();
        assert_eq!(check_nodes(ExecutionProvider::Cuda, &nodes), Ok(()));
        nodes.add("CPUExecutionProvider", 162);
        let reason = check_nodes(ExecutionProvider::Cuda, &nodes).unwrap_err();
        assert!(reason.contains("`cuda` takes none of the model's nodes (cpu 162)"), "{reason}");
        assert_eq!(check_nodes(ExecutionProvider::Cpu, &nodes), Ok(()));
        nodes.add("CUDAExecutionProvider", 1);
        assert_eq!(check_nodes(ExecutionProvider::Cuda, &nodes), Ok(()));
    }
}
