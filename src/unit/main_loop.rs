//! The main loop of a unit process: it handles the parent's messages one by one.

use crate::ipc::channel::{Channel, ChannelError};
use crate::ipc::frame_slots::SlotReader;
use crate::ipc::messages::{DetectItem, FromUnit, LoadModel, RegionId, RequestId, ToUnit, UnitTiming};
use crate::ipc::quantize_messages::{Observed, QuantizeOrder, Quantized};
use crate::model::execution_provider::NodeCounts;
use crate::model::model_facts::ModelFacts;
use crate::os::sandbox::SandboxError;
use crate::unit::load_error::LoadError;
use crate::unit::onnx_file::OnnxFileError;
use crate::unit::quantization::QuantizeError;
use crate::vision::detection::Detection;
use crate::vision::error_chain::describe;
use crate::vision::frame::SlotContent;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::FailureCause;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// The detections of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Below the model's thresholds, if the options ask for them. Most confident first.
    pub weak: Vec<Detection>,
    /// Processing times.
    pub timing: UnitTiming,
    /// Width and height of the picture in pixels, before scaling and after EXIF orientation.
    pub size: (u32, u32),
}

/// Why a picture has no result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotFound {
    /// The cause, as it is counted.
    pub cause: FailureCause,
    /// Details for the log.
    pub detail: String,
}

impl NotFound {
    /// Creates a failure from its cause and details.
    pub fn new(cause: FailureCause, detail: impl std::fmt::Display) -> Self {
        Self { cause, detail: detail.to_string() }
    }
}

/// One picture to run inference on.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Format and size of the slot's content.
    pub content: SlotContent,
    /// The bytes from the start of the slot; may extend beyond the content.
    pub slot: &'a [u8],
    /// Region of interest, tiles and confidence threshold.
    pub options: LookOptions,
}

/// A loaded model. Tests replace it with a scripted one.
pub trait Engine {
    /// Runs inference on pictures, in batches if the model supports them. The results are in the order of `jobs`.
    fn detect(&mut self, jobs: &[Job<'_>]) -> Vec<Result<Found, NotFound>>;
    /// The most pictures per run.
    fn batch(&self) -> usize;
    /// True if the graph came from the model cache.
    fn is_from_cache(&self) -> bool;
    /// Why the model cache could not be used, for the operator.
    fn cache_problem(&self) -> Option<String>;

    /// The time of a run with one picture, measured after the first one.
    fn run_time(&self) -> Duration;
    /// How many nodes of the graph each execution provider computes.
    fn providers(&self) -> NodeCounts;
    /// Git commit of ONNX Runtime, or its whole build info.
    fn runtime_version(&self) -> String;
    /// What was seen of the values between convolutions; nothing unless the load asked for it.
    fn observed(&self) -> Vec<Observed> {
        Vec::new()
    }
}

/// Why a model file cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file is missing, or is not a valid model.
    #[error(transparent)]
    File(#[from] OnnxFileError),
    /// The sandbox cannot be entered. A unit must not process untrusted data outside of it.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// No thread or file descriptor is available.
    #[error("the file cannot be inspected")]
    Io(#[from] std::io::Error),
}

/// Why a model is not quantised.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The model is not one that can be, or a file cannot be read or written.
    #[error(transparent)]
    Model(#[from] QuantizeError),
    /// The sandbox cannot be entered.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// No thread or file descriptor is available.
    #[error("the file cannot be rewritten")]
    Io(#[from] std::io::Error),
}

/// Why a unit process stops with an error.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// The channel to the parent failed.
    #[error("the channel to the parent failed")]
    Channel(#[from] ChannelError),
    /// The model cannot be loaded or inspected. The parent has received the reason.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// The parent sent an invalid request.
    #[error("the parent broke the protocol: {0}")]
    Protocol(&'static str),
}

/// Serves the parent until it sends `Stop` or closes the channel.
///
/// # Errors
/// [`UnitError`]. The process must exit then; the parent starts another one.
pub fn run(
    channel: &Channel,
    load_engine: impl Fn(&LoadModel) -> Result<Box<dyn Engine>, LoadError>,
    inspect: impl Fn(&Path) -> Result<ModelFacts, InspectError>,
    quantize: impl Fn(&QuantizeOrder, File) -> Result<Quantized, RewriteError>,
) -> Result<(), UnitError> {
    channel.send(&FromUnit::Hello { pid: std::process::id() }, None)?;
    let mut engine: Option<Box<dyn Engine>> = None;
    let mut regions: BTreeMap<RegionId, SlotReader> = BTreeMap::new();
    loop {
        let (message, descriptor) = match channel.receive::<ToUnit>() {
            Ok(received) => received,
            Err(ChannelError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match message {
            ToUnit::Load(load) => engine = Some(load_model(channel, &load, &load_engine)?),
            ToUnit::AttachRegion { region, slots } => {
                let descriptor = descriptor.ok_or(UnitError::Protocol("a region has no descriptor"))?;
                let reader = SlotReader::new(&descriptor, slots);
                regions.insert(region, reader.map_err(|_| UnitError::Protocol("a region cannot be mapped"))?);
            }
            ToUnit::DetachRegion { region } => drop(regions.remove(&region)),
            ToUnit::Detect { items } => {
                let engine = engine.as_mut().ok_or(UnitError::Protocol("work before the model is loaded"))?;
                let job = |item: &DetectItem| {
                    let slot = find(&regions, item.region, item.slot)?;
                    Ok(Job { content: item.content, slot, options: item.options })
                };
                let jobs = items.iter().map(job).collect::<Result<Vec<Job<'_>>, UnitError>>()?;
                for (item, result) in items.iter().zip(engine.detect(&jobs)) {
                    channel.send(&answer(item.request, result), None)?;
                }
            }
            ToUnit::Ping { request, region, slot } => {
                let first_byte = find(&regions, region, slot)?[0];
                channel.send(&FromUnit::Pong { request, first_byte }, None)?;
            }
            ToUnit::Inspect { file } => {
                return report(channel, inspect(&file).map(|facts| FromUnit::Inspected(Box::new(facts))));
            }
            ToUnit::Quantize(order) => {
                let target = descriptor.ok_or(UnitError::Protocol("a model to write has no descriptor"))?;
                return report(channel, quantize(&order, target.into()).map(FromUnit::Quantized));
            }
            ToUnit::Observe => {
                let engine = engine.as_ref().ok_or(UnitError::Protocol("work before the model is loaded"))?;
                channel.send(&FromUnit::Observed(engine.observed()), None)?;
            }
            ToUnit::Stop => return Ok(()),
        }
    }
}

fn load_model(
    channel: &Channel,
    load: &LoadModel,
    load_engine: &impl Fn(&LoadModel) -> Result<Box<dyn Engine>, LoadError>,
) -> Result<Box<dyn Engine>, UnitError> {
    let started = Instant::now();
    match load_engine(load) {
        Ok(engine) => {
            let ready = FromUnit::Ready {
                load_ms: u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX),
                from_cache: engine.is_from_cache(),
                variant: load.variant,
                execution_provider: load.execution_provider,
                providers: engine.providers(),
                runtime_version: engine.runtime_version(),
                batch: u16::try_from(engine.batch()).unwrap_or(u16::MAX),
                run_us: u32::try_from(engine.run_time().as_micros()).unwrap_or(u32::MAX),
                cache_problem: engine.cache_problem(),
            };
            channel.send(&ready, None)?;
            Ok(engine)
        }
        Err(error) => fail(channel, &error),
    }
}

fn report<E: std::error::Error>(channel: &Channel, result: Result<FromUnit, E>) -> Result<(), UnitError> {
    match result {
        Ok(answer) => Ok(channel.send(&answer, None)?),
        Err(error) => fail(channel, &error),
    }
}

/// Sends the parent the reason and returns it as an error.
fn fail<T>(channel: &Channel, error: &dyn std::error::Error) -> Result<T, UnitError> {
    let reason = describe(error);
    channel.send(&FromUnit::LoadFailed { reason: reason.clone() }, None)?;
    Err(UnitError::Load(reason))
}

/// The bytes from the start of the slot to the end of the region: a picture may be longer than a slot.
fn find(regions: &BTreeMap<RegionId, SlotReader>, region: RegionId, slot: u16) -> Result<&[u8], UnitError> {
    let slot = regions.get(&region).and_then(|reader| reader.from_slot(slot));
    slot.ok_or(UnitError::Protocol("a slot does not exist"))
}

fn answer(request: RequestId, result: Result<Found, NotFound>) -> FromUnit {
    match result {
        Ok(Found { detections, weak, timing, size }) => FromUnit::Detected { request, detections, weak, timing, size },
        Err(NotFound { cause, detail }) => FromUnit::Failed { request, cause, detail },
    }
}

#[cfg(test)]
mod tests;
