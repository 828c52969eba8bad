//! Work for a unit: a camera's frame, or an image from a client.

use crate::ipc::messages::RegionId;
use crate::vision::camera_id::CameraId;
use crate::vision::frame::{Frame, SlotContent};
use crate::vision::framing::Framing;
use crate::vision::look_options::LookOptions;
use crate::vision::monotonic::Monotonic;

/// A camera frame that needs a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameWork {
    /// The camera that it comes from.
    pub camera: CameraId,
    /// The number of the frame, counted per camera since the daemon started.
    pub number: u64,
    /// The slot that holds the frame, and its picture format.
    pub frame: Frame,
    /// The region that holds the slot.
    pub region: RegionId,
    /// The part and the tiles of the picture that are analysed.
    pub framing: Framing,
    /// How many units have tried it and failed.
    pub attempts: u8,
    /// The zone of the unit that failed last.
    pub failed_in: Option<usize>,
}

impl FrameWork {
    /// Its cost in transactions, one for each tile or whole picture that is analysed.
    pub fn transactions(&self) -> u32 {
        self.framing.transactions()
    }
}

/// Identifies an image. Never reused while the daemon runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ImageId(pub u64);

/// An image that needs a unit: encoded bytes in a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageWork {
    /// Identifies the image until its reply.
    pub id: ImageId,
    /// The region that holds the slot.
    pub region: RegionId,
    /// The number of the slot in its region.
    pub slot: u16,
    /// The length of the encoded image.
    pub bytes: u32,
    /// When its last byte arrived.
    pub arrived_at: Monotonic,
    /// When its client stops waiting.
    pub deadline: Monotonic,
    /// How the model is to analyse it.
    pub options: LookOptions,
    /// Its client says that it was not refused before: it leaves those their places who were.
    pub is_first_try: bool,
    /// How many units have tried it and failed.
    pub attempts: u8,
    /// The zone of the unit that failed last.
    pub failed_in: Option<usize>,
}

impl ImageWork {
    /// Its cost in transactions, one for each tile or whole picture that is analysed.
    pub fn transactions(&self) -> u32 {
        self.options.framing.transactions()
    }
}

/// The kind of input. A unit has to decode an image; a frame is already decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WorkKind {
    /// A camera frame.
    Frame,
    /// An image from a client.
    Image,
}

/// A frame or an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// A camera frame.
    Frame(FrameWork),
    /// An image from a client.
    Image(ImageWork),
}

impl Work {
    /// The kind of input.
    pub fn kind(&self) -> WorkKind {
        match self {
            Self::Frame(_) => WorkKind::Frame,
            Self::Image(_) => WorkKind::Image,
        }
    }

    /// The region that holds its slot.
    pub fn region(&self) -> RegionId {
        match self {
            Self::Frame(work) => work.region,
            Self::Image(work) => work.region,
        }
    }

    /// The slot that holds it.
    pub fn slot(&self) -> u16 {
        match self {
            Self::Frame(work) => work.frame.slot,
            Self::Image(work) => work.slot,
        }
    }

    /// The format of the slot's bytes.
    pub fn content(&self) -> SlotContent {
        match self {
            Self::Frame(work) => SlotContent::Raw(work.frame.picture),
            Self::Image(work) => SlotContent::Encoded { bytes: work.bytes },
        }
    }

    /// How the model is to analyse it. For a frame all but the framing comes from the model's manifest,
    /// and its tracker gets weak detections too.
    pub fn options(&self) -> LookOptions {
        match self {
            Self::Frame(work) => LookOptions { framing: work.framing, weak: true, ..LookOptions::default() },
            Self::Image(work) => work.options,
        }
    }

    /// Its cost in transactions, one for each tile or whole picture that is analysed.
    pub fn transactions(&self) -> u32 {
        match self {
            Self::Frame(work) => work.transactions(),
            Self::Image(work) => work.transactions(),
        }
    }

    /// When it started to wait: the capture of a frame, the arrival of an image.
    pub fn since(&self) -> Monotonic {
        match self {
            Self::Frame(work) => work.frame.captured_at,
            Self::Image(work) => work.arrived_at,
        }
    }

    /// How many units have tried it and failed.
    pub fn attempts(&self) -> u8 {
        match self {
            Self::Frame(work) => work.attempts,
            Self::Image(work) => work.attempts,
        }
    }

    /// The zone of the unit that failed last. A retry should go to another zone.
    pub fn failed_in(&self) -> Option<usize> {
        match self {
            Self::Frame(work) => work.failed_in,
            Self::Image(work) => work.failed_in,
        }
    }

    /// Records that a unit in this zone failed.
    pub fn count_attempt(&mut self, zone: usize) {
        let (attempts, failed_in) = match self {
            Self::Frame(work) => (&mut work.attempts, &mut work.failed_in),
            Self::Image(work) => (&mut work.attempts, &mut work.failed_in),
        };
        *attempts += 1;
        *failed_in = Some(zone);
    }
}
