//! What a unit process does: one message after the other, from the parent and back.

use crate::ipc::channel::{Channel, ChannelError};
use crate::ipc::frame_slots::SlotReader;
use crate::ipc::messages::{DetectItem, FromUnit, LoadModel, RegionId, RequestId, ToUnit, UnitTiming};
use crate::model::execution_provider::NodeCounts;
use crate::model::model_facts::ModelFacts;
use crate::os::sandbox::SandboxError;
use crate::unit::load_error::LoadError;
use crate::unit::onnx_file::OnnxFileError;
use crate::vision::detection::Detection;
use crate::vision::error_chain::describe;
use crate::vision::frame::SlotContent;
use crate::vision::look_options::LookOptions;
use crate::vision::outcome::FailureCause;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// The result of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Where the time went.
    pub timing: UnitTiming,
    /// Width and height of the picture in pixels.
    pub size: (u32, u32),
}

/// Why an engine has no result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotFound {
    /// Counted.
    pub cause: FailureCause,
    /// For the log.
    pub detail: String,
}

impl NotFound {
    /// A cause with its detail.
    pub fn new(cause: FailureCause, detail: impl std::fmt::Display) -> Self {
        Self { cause, detail: detail.to_string() }
    }
}

/// A picture that is to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What lies in the slot.
    pub content: SlotContent,
    /// From its first byte on.
    pub slot: &'a [u8],
    /// How to look.
    pub options: LookOptions,
}

/// A loaded model. The seam at which tests put a scripted one.
pub trait Engine {
    /// Looks at pictures, together where the model can; the answers are in their order.
    fn detect(&mut self, jobs: &[Job<'_>]) -> Vec<Result<Found, NotFound>>;
    /// How many pictures it takes together.
    fn batch(&self) -> usize;
    /// The cached graph was used.
    fn is_from_cache(&self) -> bool;

    /// Why the model cache could not be used, for the operator.
    fn cache_problem(&self) -> Option<String>;
    /// What computes the nodes of the graph.
    fn providers(&self) -> NodeCounts;
    /// ONNX Runtime's version.
    fn runtime_version(&self) -> String;
}

/// Why a file tells nothing of itself.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file.
    #[error(transparent)]
    File(#[from] OnnxFileError),
    /// The unit may not read strangers' bytes unconfined.
    #[error("the unit cannot be confined")]
    Sandbox(#[from] SandboxError),
    /// There are no threads and descriptors left.
    #[error("the file cannot be looked at")]
    Io(#[from] std::io::Error),
}

/// Why a unit process ends.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// The channel to the parent failed.
    #[error("the channel to the parent failed")]
    Channel(#[from] ChannelError),
    /// The model cannot be loaded; the parent has the reason.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// The parent asked for something that cannot be.
    #[error("the parent broke the protocol: {0}")]
    Protocol(&'static str),
}

/// Serves the parent until it says `Stop` or is gone.
///
/// # Errors
/// [`UnitError`]; the process is then to end, for the parent will start another.
pub fn run(
    channel: &Channel,
    load_engine: impl Fn(&LoadModel) -> Result<Box<dyn Engine>, LoadError>,
    inspect: impl Fn(&Path) -> Result<ModelFacts, InspectError>,
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
                let descriptor = descriptor.ok_or(UnitError::Protocol("a region came without its descriptor"))?;
                let reader = SlotReader::new(&descriptor, slots);
                regions.insert(region, reader.map_err(|_| UnitError::Protocol("a region cannot be mapped"))?);
            }
            ToUnit::DetachRegion { region } => drop(regions.remove(&region)),
            ToUnit::Detect { items } => {
                let engine = engine.as_mut().ok_or(UnitError::Protocol("work came before the model"))?;
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
            ToUnit::Inspect { file } => return report(channel, inspect(&file)),
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
                execution_provider: load.execution_provider,
                providers: engine.providers(),
                runtime_version: engine.runtime_version(),
                batch: u16::try_from(engine.batch()).unwrap_or(u16::MAX),
                cache_problem: engine.cache_problem(),
            };
            channel.send(&ready, None)?;
            Ok(engine)
        }
        Err(error) => fail(channel, &error),
    }
}

fn report(channel: &Channel, result: Result<ModelFacts, InspectError>) -> Result<(), UnitError> {
    match result {
        Ok(facts) => Ok(channel.send(&FromUnit::Inspected(Box::new(facts)), None)?),
        Err(error) => fail(channel, &error),
    }
}

/// Sends the parent the reason why this unit ends.
fn fail<T>(channel: &Channel, error: &dyn std::error::Error) -> Result<T, UnitError> {
    let reason = describe(error);
    channel.send(&FromUnit::LoadFailed { reason: reason.clone() }, None)?;
    Err(UnitError::Load(reason))
}

/// From the slot on: a picture's own length says where it ends.
fn find(regions: &BTreeMap<RegionId, SlotReader>, region: RegionId, slot: u16) -> Result<&[u8], UnitError> {
    let slot = regions.get(&region).and_then(|reader| reader.from_slot(slot));
    slot.ok_or(UnitError::Protocol("a slot was named that is not there"))
}

fn answer(request: RequestId, result: Result<Found, NotFound>) -> FromUnit {
    match result {
        Ok(Found { detections, timing, size }) => FromUnit::Detected { request, detections, timing, size },
        Err(NotFound { cause, detail }) => FromUnit::Failed { request, cause, detail },
    }
}

#[cfg(test)]
mod tests;
