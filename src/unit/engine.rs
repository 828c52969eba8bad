//! One loaded model: pictures in, detections out.

use crate::ipc::messages::{LoadModel, UnitTiming};
use crate::model::execution_provider::NodeCounts;
use crate::model::labels::{Labels, LabelsError};
use crate::model::manifest::{Manifest, ManifestError, Thresholds};
use crate::os::sandbox::SandboxError;
use crate::unit::assumed_thresholds::AssumedThresholds;
use crate::unit::canary;
use crate::unit::image_decode;
use crate::unit::main_loop::{Engine, Found, NotFound};
use crate::unit::preprocess::Preprocessor;
use crate::unit::session::{environment, open, runtime_version};
use crate::unit::tensor_decoders::{self, Tensor};
use crate::vision::frame::SlotContent;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::FailureCause;
use ort::session::Session;
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
    /// The manifest has a threshold for a label that the model does not have.
    #[error("the manifest has a threshold for `{0}`, which is not one of the labels")]
    Label(String),
    /// The labels.
    #[error(transparent)]
    Labels(#[from] LabelsError),
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
    assumed: AssumedThresholds,
    preprocessor: Preprocessor,
    from_cache: bool,
    providers: NodeCounts,
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
        let labels = Labels::load(&load.directory)?;
        let assumed = AssumedThresholds::new(&manifest, &labels).map_err(LoadError::Label)?;
        let environment = environment(&load.runtime_library)?;
        let path = manifest.model_path(&load.directory);
        let (session, from_cache, providers) = open(load, &manifest, &path, &environment)?;
        let preprocessor = Preprocessor::new(manifest.input.clone());
        let runtime_version = runtime_version();
        let mut engine = Self { session, manifest, assumed, preprocessor, from_cache, providers, runtime_version };
        engine.check_tensors(&path)?;
        engine
            .infer_and_decode(&mut UnitTiming::default(), None, None)
            .map_err(|error| LoadError::WarmUp(error.detail))?;
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
        min_confidence: Option<f32>,
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
        let confidence = min_confidence.unwrap_or_else(|| self.assumed.least());
        let thresholds = Thresholds { confidence, ..manifest.thresholds };
        let mut found = tensor_decoders::decode(&manifest.output, &tensors, &manifest.input, &thresholds, placement)
            .map_err(|error| NotFound::new(FailureCause::InvalidOutput, error))?;
        if min_confidence.is_none() {
            found.retain(|detection| self.assumed.lets_through(detection));
        }
        timing.postprocess_us = elapsed_us(started);
        Ok(found)
    }
}

impl Engine for OnnxEngine {
    fn detect(&mut self, content: SlotContent, slot: &[u8], options: LookOptions) -> Result<Found, NotFound> {
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
                let input = (self.manifest.input.width, self.manifest.input.height);
                let image = image_decode::decode(encoded, &options.limits, input);
                let image = image.map_err(|error| NotFound::new(error.cause(), error))?;
                timing.decode_us = elapsed_us(started);
                let placement = self.preprocessor.prepare_rgb(&image).map_err(|error| bad_image(&error))?;
                (placement, image.original)
            }
        };
        timing.preprocess_us = elapsed_us(started) - timing.decode_us;
        let detections = self.infer_and_decode(&mut timing, Some(&placement), options.min_confidence)?;
        Ok(Found { detections, timing, size })
    }

    fn is_from_cache(&self) -> bool {
        self.from_cache
    }

    fn providers(&self) -> NodeCounts {
        self.providers.clone()
    }

    fn runtime_version(&self) -> String {
        self.runtime_version.clone()
    }
}

fn elapsed_us(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}
