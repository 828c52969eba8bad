//! One unit without a supervisor, for `ocelli detect`, the tests of a model and measurements.

use crate::ipc::channel::ChannelError;
use crate::ipc::child_process::{ChildEvent, ChildHandle, ChildSpec, Spawner};
use crate::ipc::frame_slots::{Region, SlotWriter};
use crate::ipc::messages::{DetectItem, FromUnit, LoadModel, RegionId, RequestId, ToUnit, UnitTiming};
use crate::ipc::quantize_messages::Observed;
use crate::model::execution_provider::NodeCounts;
use crate::vision::detection::Detection;
use crate::vision::frame::{Picture, SLOT_BYTES, SlotContent};
use crate::vision::framing::Framing;
use crate::vision::look_options::LookOptions;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A unit's result for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageResult {
    /// Most confident first.
    pub detections: Vec<Detection>,
    /// Below the model's thresholds, if the options ask for them. Most confident first.
    pub weak: Vec<Detection>,
    /// Time spent inside the unit.
    pub timing: UnitTiming,
    /// Width and height in pixels, upright.
    pub size: (u32, u32),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum OneShotError {
    /// The process, its channel or the shared memory could not be created.
    #[error("an inference unit could not be started")]
    Io(#[from] std::io::Error),
    /// A message could not be sent to the unit.
    #[error("the inference unit accepts no messages")]
    Channel(#[from] ChannelError),
    /// The unit could not load the model, with its reason.
    #[error("the model cannot be loaded: {0}")]
    Load(String),
    /// The image, of this many bytes, does not fit into a slot.
    #[error("the image has {0} bytes; the limit is {SLOT_BYTES}")]
    TooLarge(usize),
    /// The unit could not analyse the image, with its reason.
    #[error("{0}")]
    Failed(String),
    /// The unit's process ended, with its exit status.
    #[error("the inference unit ended: {0}")]
    Ended(String),
    /// The unit did not reply in time.
    #[error("the inference unit did not answer in time")]
    TimedOut,
}

const REGION: RegionId = RegionId(0);

/// How long one image may take, decoding included.
const IMAGE_LIMIT: Duration = Duration::from_secs(30);

/// A loaded unit.
#[derive(Debug)]
pub struct OneShotUnit {
    handle: ChildHandle,
    /// Kept because the unit is killed when the thread that spawned it ends.
    _spawner: Spawner,
    events: mpsc::Receiver<ChildEvent<FromUnit>>,
    slot: SlotWriter,
    nodes: NodeCounts,
    next: u64,
}

impl OneShotUnit {
    /// Starts a unit and waits until it has loaded its model.
    ///
    /// # Errors
    /// [`OneShotError`].
    pub async fn start(
        program: PathBuf,
        environment: BTreeMap<String, String>,
        load: LoadModel,
        limit: Duration,
    ) -> Result<Self, OneShotError> {
        let mut unit = Self::spawn(program, environment, load)?;
        unit.loaded(limit).await?;
        Ok(unit)
    }

    /// Starts a unit that begins to load its model.
    ///
    /// # Errors
    /// [`OneShotError`].
    pub fn spawn(
        program: PathBuf,
        environment: BTreeMap<String, String>,
        load: LoadModel,
    ) -> Result<Self, OneShotError> {
        let region = Region::create("ocelli-image", 1)?;
        let slot = SlotWriter::new(region.writable(), 1)?;
        let (sender, events) = mpsc::channel(16);
        let spec = ChildSpec { program, arguments: vec!["unit".into()], environment, title: "unit".into() };
        let spawner = Spawner::start()?;
        let handle = spawner.spawn(&spec, sender, |event| event)?;
        let unit = Self { handle, _spawner: spawner, events, slot, nodes: NodeCounts::default(), next: 0 };
        unit.send(&ToUnit::Load(load), None)?;
        unit.send(&ToUnit::AttachRegion { region: REGION, slots: 1 }, Some(region.read_only().as_fd()))?;
        Ok(unit)
    }

    /// Waits until it has loaded its model.
    ///
    /// # Errors
    /// [`OneShotError`].
    pub async fn loaded(&mut self, limit: Duration) -> Result<(), OneShotError> {
        loop {
            match self.answer(limit).await? {
                FromUnit::Ready { providers, .. } => {
                    self.nodes = providers;
                    return Ok(());
                }
                FromUnit::LoadFailed { reason } => return Err(OneShotError::Load(reason)),
                _ => {}
            }
        }
    }

    /// The number of graph nodes of each execution provider.
    pub fn nodes(&self) -> &NodeCounts {
        &self.nodes
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.handle.pid()
    }

    /// What the unit has seen of the values between convolutions, if its load asked for it.
    ///
    /// # Errors
    /// [`OneShotError`].
    pub async fn observed(&mut self) -> Result<Vec<Observed>, OneShotError> {
        self.send(&ToUnit::Observe, None)?;
        loop {
            if let FromUnit::Observed(observed) = self.answer(IMAGE_LIMIT).await? {
                return Ok(observed);
            }
        }
    }

    /// Analyses a JPEG or PNG image.
    ///
    /// # Errors
    /// [`OneShotError`]; after `Failed` and `TooLarge` the unit can be used again.
    pub async fn detect(&mut self, image: &[u8], options: LookOptions) -> Result<ImageResult, OneShotError> {
        let bytes = u32::try_from(image.len()).map_err(|_| OneShotError::TooLarge(image.len()))?;
        self.fill_slot(image)?;
        self.look(SlotContent::Encoded { bytes }, options).await
    }

    /// Analyses the frame of a camera, whose planes are packed as [`Picture`] says.
    ///
    /// # Errors
    /// [`OneShotError`]; after `Failed` and `TooLarge` the unit can be used again.
    pub async fn detect_frame(
        &mut self,
        picture: Picture,
        planes: &[u8],
        options: LookOptions,
    ) -> Result<ImageResult, OneShotError> {
        self.fill_slot(planes)?;
        self.look(SlotContent::Raw(picture), options).await
    }

    fn fill_slot(&mut self, bytes: &[u8]) -> Result<(), OneShotError> {
        let slot = self.slot.slot_mut(0).and_then(|slot| slot.get_mut(..bytes.len()));
        slot.ok_or(OneShotError::TooLarge(bytes.len()))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Analyses a raw frame with the slot's arbitrary content: the time that it takes does not depend on the content.
    ///
    /// # Errors
    /// [`OneShotError`].
    pub async fn detect_raw(&mut self, picture: Picture, framing: Framing) -> Result<ImageResult, OneShotError> {
        self.look(SlotContent::Raw(picture), LookOptions { framing, ..LookOptions::default() }).await
    }

    async fn look(&mut self, content: SlotContent, options: LookOptions) -> Result<ImageResult, OneShotError> {
        self.next += 1;
        let request = RequestId(self.next);
        let item = DetectItem { request, region: REGION, slot: 0, content, options };
        self.send(&ToUnit::Detect { items: vec![item] }, None)?;
        loop {
            match self.answer(IMAGE_LIMIT).await? {
                FromUnit::Detected { detections, weak, timing, size, .. } => {
                    return Ok(ImageResult { detections, weak, timing, size });
                }
                FromUnit::Failed { cause, detail, .. } => {
                    return Err(OneShotError::Failed(format!("{cause}: {detail}")));
                }
                _ => {}
            }
        }
    }

    /// Sends a message. A closed channel is no error here: the events of the unit give the reason.
    fn send(&self, message: &ToUnit, descriptor: Option<BorrowedFd<'_>>) -> Result<(), ChannelError> {
        match self.handle.send(message, descriptor) {
            Err(ChannelError::Closed) => Ok(()),
            result => result,
        }
    }

    async fn answer(&mut self, limit: Duration) -> Result<FromUnit, OneShotError> {
        match timeout(limit, self.events.recv()).await {
            Err(_) => Err(OneShotError::TimedOut),
            Ok(Some(ChildEvent::Message(message))) => Ok(message),
            Ok(Some(ChildEvent::Ended { status, .. })) => Err(OneShotError::Ended(status.to_string())),
            Ok(None) => Err(OneShotError::Ended("its status is unknown".into())),
        }
    }
}
