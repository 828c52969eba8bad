//! One ONNX Runtime session: the only user of `ort` beside the execution providers.

use crate::ipc::messages::{LoadModel, UnitTiming};
use crate::model::manifest::{Manifest, ManifestError};
use crate::os::sandbox::SandboxError;
use crate::unit::canary;
use crate::unit::execution_providers;
use crate::unit::image_decode;
use crate::unit::main_loop::{Engine, Found, NotFound};
use crate::unit::model_cache::CacheEntry;
use crate::unit::preprocess::Preprocessor;
use crate::unit::tensor_decoders::{self, Tensor};
use crate::vision::frame::SlotContent;
use crate::vision::outcome::FailureCause;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;
use std::path::Path;
use std::time::Instant;

/// Why a model is not loaded. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The package is not in order.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The library is not there, or is no ONNX Runtime of a version that we can use.
    #[error(
        "ONNX Runtime cannot be loaded from {path}: {reason}; run `make setup`, or correct `units.runtime_library`"
    )]
    Library {
        /// By the settings.
        path: String,
        /// By the loader.
        reason: String,
    },
    /// This build or this box cannot compute that way.
    #[error("{0}")]
    ExecutionProvider(String),
    /// ONNX Runtime refuses the model.
    #[error("ONNX Runtime cannot load {path}: {reason}")]
    Model {
        /// Which file.
        path: String,
        /// In ONNX Runtime's words.
        reason: String,
    },
    /// The model does not have what its manifest says.
    #[error("{path} has no {what} `{name}`; it has: {found}. Correct the manifest")]
    Tensor {
        /// Which file.
        path: String,
        /// Input or output.
        what: &'static str,
        /// By the manifest.
        name: String,
        /// By the model.
        found: String,
    },
    /// The first inference failed.
    #[error("the first inference failed: {0}")]
    WarmUp(String),
    /// The model computes something else than its package says.
    #[error("the canary {image} {why}")]
    Canary {
        /// Its picture.
        image: String,
        /// What is wrong with it, or was not seen.
        why: String,
    },
    /// The unit may not read strangers' bytes unconfined.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// The cache cannot be written, or there are no threads and descriptors left.
    #[error("the model cannot be prepared")]
    Io(#[from] std::io::Error),
}

/// A loaded model.
pub struct OnnxEngine {
    session: Session,
    manifest: Manifest,
    preprocessor: Preprocessor,
    from_cache: bool,
    runtime_version: String,
}

impl std::fmt::Debug for OnnxEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OnnxEngine").field("model", &self.manifest.name).finish_non_exhaustive()
    }
}

impl OnnxEngine {
    /// Loads library and model, checks both against the manifest, and infers once, on the canary if the package
    /// has one. Once a process:
    /// there is one ONNX Runtime environment.
    ///
    /// # Errors
    /// [`LoadError`], which names the thing and the cure.
    pub fn load(load: &LoadModel) -> Result<Self, LoadError> {
        let manifest = Manifest::load(&load.directory)?;
        manifest.verify_model(&load.directory)?;
        let environment = environment(&load.runtime_library)?;
        let path = manifest.model_path(&load.directory);
        let (session, from_cache) = open(load, &manifest, &path, &environment)?;
        let preprocessor = Preprocessor::new(manifest.input.clone());
        let runtime_version = runtime_version();
        let mut engine = Self { session, manifest, preprocessor, from_cache, runtime_version };
        engine.check_tensors(&path)?;
        engine.infer_and_decode(&mut UnitTiming::default(), None).map_err(|error| LoadError::WarmUp(error.detail))?;
        if let Some(expected) = engine.manifest.canary.clone() {
            canary::check(&mut engine, &expected, &load.directory)?;
        }
        Ok(engine)
    }

    /// The names in the model against those in the manifest, before the first frame fails on them.
    fn check_tensors(&self, path: &Path) -> Result<(), LoadError> {
        let session = &self.session;
        let inputs: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let outputs: Vec<String> = session.outputs().iter().map(|output| output.name().to_owned()).collect();
        let input = self.manifest.input.tensor.as_str();
        let wanted = self.manifest.output.tensors().into_iter().map(|name| ("output", name, &outputs));
        for (what, name, found) in std::iter::once(("input", input, &inputs)).chain(wanted) {
            if !found.iter().any(|has| has == name) {
                let (path, name) = (path.display().to_string(), name.to_owned());
                return Err(LoadError::Tensor { path, what, name, found: found.join(", ") });
            }
        }
        Ok(())
    }

    /// Runs the tensor of the preprocessor. Without a placement only the run itself is wanted.
    fn infer_and_decode(
        &mut self,
        timing: &mut UnitTiming,
        placement: Option<&crate::unit::picture_fit::Placement>,
    ) -> Result<Vec<crate::vision::detection::Detection>, NotFound> {
        let started = Instant::now();
        let shape = self.preprocessor.shape();
        let failed = |error: ort::Error| NotFound::new(FailureCause::InferenceError, error);
        let input = TensorRef::from_array_view((shape, self.preprocessor.tensor())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.tensor.as_str() => input]).map_err(failed)?;
        timing.inference_us = elapsed_us(started);

        let started = Instant::now();
        let mut tensors = Vec::with_capacity(4);
        for name in self.manifest.output.tensors() {
            let value = outputs.get(name);
            let value =
                value.ok_or_else(|| NotFound::new(FailureCause::InvalidOutput, format!("no output `{name}`")))?;
            let (shape, values) =
                value.try_extract_tensor::<f32>().map_err(|error| NotFound::new(FailureCause::InvalidOutput, error))?;
            tensors.push(Tensor { shape, values });
        }
        let Some(placement) = placement else { return Ok(Vec::new()) };
        let manifest = &self.manifest;
        let found =
            tensor_decoders::decode(&manifest.output, &tensors, &manifest.input, &manifest.thresholds, placement)
                .map_err(|error| NotFound::new(FailureCause::InvalidOutput, error))?;
        timing.postprocess_us = elapsed_us(started);
        Ok(found)
    }
}

impl Engine for OnnxEngine {
    fn detect(&mut self, content: SlotContent, slot: &[u8]) -> Result<Found, NotFound> {
        let mut timing = UnitTiming::default();
        let bad_image = |error: &dyn std::fmt::Display| NotFound::new(FailureCause::InvalidImage, error);
        let started = Instant::now();
        let (placement, size) = match content {
            SlotContent::Raw(picture) => {
                let placement = self.preprocessor.prepare_raw(picture, slot).map_err(|error| bad_image(&error))?;
                (placement, (picture.width(), picture.height()))
            }
            SlotContent::Encoded { bytes } => {
                let encoded = slot.get(..bytes as usize);
                let encoded = encoded.ok_or_else(|| bad_image(&"the image is longer than its slot"))?;
                let image = image_decode::decode(encoded).map_err(|error| bad_image(&error))?;
                timing.decode_us = elapsed_us(started);
                let placement = self.preprocessor.prepare_rgb(&image).map_err(|error| bad_image(&error))?;
                (placement, (image.width, image.height))
            }
        };
        timing.preprocess_us = elapsed_us(started) - timing.decode_us;
        let detections = self.infer_and_decode(&mut timing, Some(&placement))?;
        Ok(Found { detections, timing, size })
    }

    fn is_from_cache(&self) -> bool {
        self.from_cache
    }

    fn runtime_version(&self) -> String {
        self.runtime_version.clone()
    }
}

fn elapsed_us(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

fn environment(library: &Path) -> Result<ort::environment::Environment, LoadError> {
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
fn open(
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
    let entry = CacheEntry::new(directory, &manifest.model.sha256, &provider_and_build);
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
fn runtime_version() -> String {
    let info = ort::info();
    let commit = info.split(',').find_map(|part| part.split_once("git-commit-id=")).map(|(_, commit)| commit.trim());
    commit.unwrap_or(info).to_owned()
}
