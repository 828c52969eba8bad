//! A loaded ONNX model: from pictures to detections.

mod first_runs;

use crate::ipc::messages::{LoadModel, UnitTiming};
use crate::ipc::quantize_messages::Observed;
use crate::model::description::Description;
use crate::model::execution_provider::NodeCounts;
use crate::model::manifest::{Manifest, Thresholds};
use crate::unit::assumed_thresholds::AssumedThresholds;
use crate::unit::canary;
use crate::unit::image_decode::{self, RgbImage};
use crate::unit::inference::Inference;
use crate::unit::load_error::LoadError;
use crate::unit::main_loop::{Engine, Found, Job, NotFound};
use crate::unit::picture_fit::Placement;
use crate::unit::preprocess::Preprocessor;
use crate::unit::session::{Opened, environment, open, runtime_version};
use crate::unit::tensor_decoders::{self, Reading, Tensor, TensorError};
use crate::vision::detection::Detection;
use crate::vision::frame::SlotContent;
use crate::vision::framing::Framing;
use crate::vision::geometry::NormalizedBox;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::FailureCause;
use crate::vision::tile_merge::{self, ViewDetections};
use std::time::{Duration, Instant};

/// A model in ONNX Runtime, with the buffers of its input.
pub struct OnnxEngine {
    inference: Inference,
    manifest: Manifest,
    assumed: AssumedThresholds,
    preprocessor: Preprocessor,
    from_cache: bool,
    cache_problem: Option<String>,
    providers: NodeCounts,
    runtime_version: String,
    run_time: Duration,
}

impl std::fmt::Debug for OnnxEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OnnxEngine").field("model", &self.manifest.name).finish_non_exhaustive()
    }
}

/// Intermediate result of a job.
#[derive(Debug, Default)]
struct Look {
    views: Vec<ViewDetections>,
    timing: UnitTiming,
    size: (u32, u32),
    failure: Option<NotFound>,
}

/// A view in the input tensor, ready for the next run.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    job: usize,
    placement: Placement,
    view: NormalizedBox,
}

impl OnnxEngine {
    /// Loads the library and the model, checks the model against the manifest, warms up, and checks the canary if the
    /// package has one. Call it once per process: there is only one ONNX Runtime environment.
    ///
    /// # Errors
    /// [`LoadError`], which names the cause and the remedy.
    pub fn load(load: &LoadModel) -> Result<Self, LoadError> {
        let Description { manifest, labels, digest } = Description::load(&load.directory)?;
        if load.package_digest.as_ref().is_some_and(|expected| *expected != digest) {
            return Err(LoadError::OtherPackage(load.directory.display().to_string()));
        }
        let path = manifest.model_path(&load.directory, load.variant);
        let path = path.ok_or_else(|| LoadError::NoVariant(load.directory.display().to_string(), load.variant))?;
        manifest.verify_variant(&load.directory, load.variant)?;
        let assumed = AssumedThresholds::new(&manifest, &labels).map_err(LoadError::Label)?;
        let environment = environment(&load.runtime_library)?;
        let Opened { session, from_cache, cache_problem, nodes: providers } =
            open(load, &manifest, &path, &environment)?;
        let inference = Inference::new(session, &manifest, &path, usize::from(load.max_batch.max(1)))?;
        let preprocessor = Preprocessor::new(manifest.input.clone());
        let runtime_version = runtime_version();
        let mut engine = Self {
            inference,
            manifest,
            assumed,
            preprocessor,
            from_cache,
            cache_problem,
            providers,
            runtime_version,
            run_time: Duration::ZERO,
        };
        engine.warm_up()?;
        engine.measure_run()?;
        if load.is_trial {
            engine.try_out(labels.len())?;
        }
        if let Some(expected) = engine.manifest.canary.clone() {
            canary::check(&mut engine, &expected, &load.directory)?;
        }
        if load.is_observed {
            engine.inference.observe();
        }
        Ok(engine)
    }

    /// Writes a view of a job's picture to place `item` of the input. `image` caches the job's decoded image.
    fn prepare(
        &mut self,
        job: &Job<'_>,
        view: NormalizedBox,
        item: usize,
        image: &mut Option<RgbImage>,
        look: &mut Look,
    ) -> Result<Placement, NotFound> {
        let bad_image = |error: &dyn std::fmt::Display| NotFound::new(FailureCause::InvalidImage, error);
        let mut started = Instant::now();
        let placement = match job.content {
            SlotContent::Raw(picture) => {
                look.size = (picture.width(), picture.height());
                self.preprocessor.prepare_raw(picture, job.slot, view).map_err(|error| bad_image(&error))?
            }
            SlotContent::Encoded { bytes } => {
                let image = match image {
                    Some(image) => image,
                    None => {
                        let encoded = job.slot.get(..bytes as usize);
                        let encoded = encoded.ok_or_else(|| bad_image(&"the image is longer than its slot"))?;
                        let wanted = self.wanted(&job.options.framing);
                        let decoded = image_decode::decode(encoded, &job.options.limits, wanted);
                        let decoded = decoded.map_err(|error| NotFound::new(error.cause(), error))?;
                        look.size = decoded.original;
                        look.timing.decode_us = elapsed_us(started);
                        started = Instant::now();
                        image.insert(decoded)
                    }
                };
                self.preprocessor.prepare_rgb(image, view).map_err(|error| bad_image(&error))?
            }
        };
        self.inference.write(item, self.preprocessor.rgb());
        look.timing.preprocess_us += elapsed_us(started);
        Ok(placement)
    }

    /// The size of a whole picture whose smallest view fills the input. Decoding to a larger size is not needed.
    fn wanted(&self, framing: &Framing) -> (u32, u32) {
        let views = framing.views();
        let least = |share: fn(&NormalizedBox) -> f32| views.iter().map(share).fold(1.0, f32::min);
        let input = &self.manifest.input;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sides are positive, and saturate")]
        let whole = |side: u32, share: f32| (side as f32 / (share * input.crop)).ceil() as u32;
        (whole(input.width, least(|view| view.width)), whole(input.height, least(|view| view.height)))
    }

    /// Runs inference on the prepared views and adds the result of each to its job.
    fn run(&mut self, prepared: &[Prepared], jobs: &[Job<'_>], looks: &mut [Look]) {
        let (manifest, assumed) = (&self.manifest, &self.assumed);
        let started = Instant::now();
        let mut inference_us = None;
        let ran = self.inference.run(prepared.len(), |item, tensors| {
            let share = *inference_us.get_or_insert_with(|| elapsed_us(started) / count(prepared.len()));
            let started = Instant::now();
            let Prepared { job, placement, view } = prepared[item];
            let look = &mut looks[job];
            match read(manifest, assumed, tensors, &placement, &jobs[job].options) {
                Ok(detections) => look.views.push(ViewDetections { view, detections }),
                Err(error) => look.failure = Some(NotFound::new(FailureCause::InvalidOutput, error)),
            }
            look.timing.inference_us += share;
            look.timing.postprocess_us += elapsed_us(started);
        });
        if let Err(error) = ran {
            for prepared in prepared {
                looks[prepared.job].failure = Some(error.clone());
            }
        }
    }

    /// Merges the results of all views of a job.
    fn conclude(&self, job: &Job<'_>, mut look: Look) -> Result<Found, NotFound> {
        if let Some(failure) = look.failure {
            return Err(failure);
        }
        let started = Instant::now();
        let mut weak = Vec::new();
        if self.assumed.gives_weak(&job.options) {
            // Apart from each other, so that a weak box of one tile takes no place from a strong one of another.
            weak = self.merge(job, look.views.clone());
            weak.retain(|found| self.assumed.is_weak(found));
            for view in &mut look.views {
                view.detections.retain(|found| self.assumed.lets_through(found));
            }
        }
        let detections = self.merge(job, look.views);
        look.timing.postprocess_us += elapsed_us(started);
        Ok(Found { detections, weak, timing: look.timing, size: look.size })
    }

    /// One list of the detections of all views.
    fn merge(&self, job: &Job<'_>, mut views: Vec<ViewDetections>) -> Vec<Detection> {
        if views.len() == 1 {
            return views.swap_remove(0).detections;
        }
        let region = job.options.framing.region.unwrap_or(NormalizedBox::WHOLE);
        let Thresholds { iou, max_detections, .. } = self.manifest.thresholds;
        tile_merge::merge(views, &region, iou, max_detections)
    }
}

/// Decodes the detections of one view that reach the thresholds, and weak ones where they are wanted.
fn read(
    manifest: &Manifest,
    assumed: &AssumedThresholds,
    tensors: &[Tensor<'_>],
    placement: &Placement,
    options: &LookOptions,
) -> Result<Vec<Detection>, TensorError> {
    let gives_weak = assumed.gives_weak(options);
    let confidence = options.min_confidence.unwrap_or_else(|| assumed.least(gives_weak));
    let thresholds = Thresholds { confidence, ..manifest.thresholds };
    let reading = Reading { thresholds: &thresholds, placement };
    let mut found = tensor_decoders::decode(&manifest.output, tensors, &reading)?;
    if options.min_confidence.is_none() {
        found.retain(|detection| assumed.lets_through(detection) || (gives_weak && assumed.is_weak(detection)));
    }
    Ok(found)
}

impl Engine for OnnxEngine {
    fn detect(&mut self, jobs: &[Job<'_>]) -> Vec<Result<Found, NotFound>> {
        let mut looks: Vec<Look> = jobs.iter().map(|_| Look::default()).collect();
        let mut prepared = Vec::with_capacity(self.inference.batch());
        for (index, job) in jobs.iter().enumerate() {
            let mut image = None;
            for view in job.options.framing.views() {
                match self.prepare(job, view, prepared.len(), &mut image, &mut looks[index]) {
                    Ok(placement) => prepared.push(Prepared { job: index, placement, view }),
                    Err(error) => {
                        looks[index].failure = Some(error);
                        break;
                    }
                }
                if prepared.len() == self.inference.batch() {
                    self.run(&prepared, jobs, &mut looks);
                    prepared.clear();
                }
            }
        }
        if !prepared.is_empty() {
            self.run(&prepared, jobs, &mut looks);
        }
        jobs.iter().zip(looks).map(|(job, look)| self.conclude(job, look)).collect()
    }

    fn is_from_cache(&self) -> bool {
        self.from_cache
    }

    fn cache_problem(&self) -> Option<String> {
        self.cache_problem.clone()
    }

    fn run_time(&self) -> Duration {
        self.run_time
    }

    fn providers(&self) -> NodeCounts {
        self.providers.clone()
    }

    fn runtime_version(&self) -> String {
        self.runtime_version.clone()
    }

    fn batch(&self) -> usize {
        self.inference.batch()
    }

    fn observed(&self) -> Vec<Observed> {
        self.inference.observed()
    }
}

fn elapsed_us(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
