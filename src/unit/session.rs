//! Creates ONNX Runtime's environment, and sessions from a model or from its optimised graph in the cache.

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

/// Loads the library. Call it once per process.
pub(super) fn environment(library: &Path) -> Result<ort::environment::Environment, LoadError> {
    let failed = |reason: String| LoadError::Library { path: library.display().to_string(), reason };
    // For a bare file name the dynamic loader would search other directories.
    let path = std::path::absolute(library).map_err(|error| failed(error.to_string()))?;
    if !path.exists() {
        return Err(failed("there is no such file".into()));
    }
    let builder = ort::init_from(&path).map_err(|error| failed(error.to_string()))?;
    builder.with_name("ocelli").build().map_err(|error| failed(error.to_string()))
}

/// A session that is ready for inference.
pub(super) struct Opened {
    pub(super) session: Session,
    /// True if the graph came from the cache.
    pub(super) from_cache: bool,
    /// Why the cache could not be used, with the remedy, for the operator.
    pub(super) cache_problem: Option<String>,
    /// How many of its nodes each execution provider computes.
    pub(super) nodes: NodeCounts,
}

/// Opens a session from the cached graph, which is created first if it is missing.
///
/// # Errors
/// [`LoadError`], also when the requested provider computes no node. If the cache cannot be used, the model is loaded
/// without it.
pub(super) fn open(
    load: &LoadModel,
    manifest: &Manifest,
    path: &Path,
    environment: &ort::environment::Environment,
) -> Result<Opened, LoadError> {
    let (load, engine_problem) = execution_providers::without_unusable_engine_cache(load);
    if let Some(problem) = &engine_problem {
        tracing::warn!(problem, "the model is loaded without the engine cache");
    }
    let load = &load;
    let placements = NodePlacements::default();
    let build = || {
        let builder = session_builder(load, environment)?;
        placements.listen(builder).map_err(|error| LoadError::ExecutionProvider(error.to_string()))
    };
    let (session, from_cache, cache_problem) = session(load, manifest, path, &build)?;
    let nodes = placements.counts();
    check_nodes(load.execution_provider, &nodes).map_err(LoadError::ExecutionProvider)?;
    Ok(Opened { session, from_cache, cache_problem: cache_problem.or(engine_problem), nodes })
}

/// Rejects a provider that computes no node of this graph: the CPU would silently compute all of it.
fn check_nodes(provider: ExecutionProvider, nodes: &NodeCounts) -> Result<(), String> {
    if nodes.0.is_empty() {
        tracing::warn!(%provider, "ONNX Runtime does not report which provider computes the nodes of the model");
    } else if nodes.of(provider) == 0 {
        return Err(format!(
            "the execution provider `{provider}` takes none of the model's nodes ({nodes}): choose another \
             `execution_provider`, or a model that suits it"
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
    let directory = load.cache_directory.as_ref().filter(|_| execution_providers::lets_graph_be_saved(load));
    let Some(directory) = directory else { return Ok((from_model()?, false, None)) };
    let provider_and_build = format!("{} {}", load.execution_provider, ort::info());
    let entry = CacheEntry::new(directory, &manifest.model.checksums(load.variant), &provider_and_build);
    match cached(&entry, load, manifest, path, build) {
        Ok((session, from_cache)) => Ok((session, from_cache, None)),
        Err(reason) => {
            // If the model is the problem, and not the cache, this returns its error.
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

/// Opens a session from the cached graph. Returns true if the graph was already cached. A missing graph is created and
/// then mapped, because a session on a mapped graph takes less memory than the one that creates it.
///
/// # Errors
/// When the graph cannot be read, or written and read back: a full, read-only, slow or failing disk. ONNX Runtime
/// reports a failure to save as a failure to load.
fn cached(
    entry: &CacheEntry,
    load: &LoadModel,
    manifest: &Manifest,
    path: &Path,
    build: &dyn Fn() -> Result<SessionBuilder, LoadError>,
) -> Result<(Session, bool), String> {
    let builder = || build().map_err(|error| describe(&error));
    if let Some(graph) = entry.map().map_err(|error| error.to_string())? {
        match from_graph(builder()?, graph) {
            Ok(session) => return Ok((session, true)),
            Err(error) => {
                tracing::warn!(%error, "a cached graph cannot be used and is rebuilt");
                entry.remove();
            }
        }
    }
    // The graph is about as large as the model: both are mostly weights.
    let length = |(file, _): (&str, &str)| std::fs::metadata(load.directory.join(file)).map_or(0, |file| file.len());
    let made =
        entry.make(manifest.model.files_of(load.variant).unwrap_or_default().into_iter().map(length).sum(), |target| {
            let saved = build()?
                .with_config_entry("session.save_model_format", "ORT")
                // Hides the warning that the graph suits this CPU only: the cache's key covers that. The node placements
                // are recorded by the session that is opened next.
                .and_then(|builder| builder.with_log_level(LogLevel::Error))
                .and_then(|builder| builder.with_optimized_model_path(target));
            let failed = |reason: String| LoadError::Model { path: path.display().to_string(), reason };
            let mut builder = saved.map_err(|error| failed(error.to_string()))?;
            drop(builder.commit_from_file(path).map_err(|error| failed(error.to_string()))?);
            Ok::<(), LoadError>(())
        });
    made.map_err(|error| match error {
        LoadError::Io(error) => error.to_string(),
        error => describe(&error),
    })?;
    let graph = entry.map().map_err(|error| error.to_string())?.ok_or("it cannot be read back")?;
    Ok((from_graph(builder()?, graph)?, false))
}

/// The graph is mapped as long as the process lives, so the session uses its bytes in place. Weights are copied
/// (`use_ort_model_bytes_for_initializers` is off): they are not aligned for vector loads, and in place they made
/// inference 10 % slower, and YOLOX nano 4.7 times (measured). The copies cost each unit the size of the weights.
fn from_graph(builder: SessionBuilder, graph: &'static [u8]) -> Result<Session, String> {
    let builder = builder
        .with_config_entry("session.load_model_format", "ORT")
        .and_then(|builder| builder.with_config_entry("session.use_ort_model_bytes_directly", "1"))
        // The graph was optimised before it was saved.
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
        // At a limited frame rate, spinning doubles the CPU time without any gain (measured).
        .and_then(|builder| builder.with_intra_op_spinning(false))
        .and_then(|builder| builder.with_inter_op_spinning(false))
        .and_then(|builder| builder.with_execution_providers([provider]))
        .map_err(|error| named(error.to_string()))
}

/// The Git commit in the library's build info, or the whole build info if it names none.
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
