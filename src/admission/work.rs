//! What wants a unit: a camera's frame, or an image from outside.

use crate::ipc::messages::RegionId;
use crate::vision::camera_id::CameraId;
use crate::vision::frame::{Frame, SlotContent};
use crate::vision::framing::Framing;
use crate::vision::look_options::LookOptions;
use crate::vision::monotonic::Monotonic;

/// A frame that wants a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameWork {
    /// Whose.
    pub camera: CameraId,
    /// Counts the camera's frames since the daemon started.
    pub number: u64,
    /// Where and what.
    pub frame: Frame,
    /// The region that holds the slot.
    pub region: RegionId,
    /// What of it is looked at.
    pub framing: Framing,
    /// Units that have failed it.
    pub attempts: u8,
    /// The zone of the last of them.
    pub failed_in: Option<usize>,
}

impl FrameWork {
    /// What it costs: the looks that its framing takes.
    pub fn transactions(&self) -> u32 {
        self.framing.transactions()
    }
}

/// An image; never used twice in a run of the daemon.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ImageId(pub u64);

/// An image that wants a unit: encoded bytes in a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageWork {
    /// Which.
    pub id: ImageId,
    /// The region that holds the slot.
    pub region: RegionId,
    /// Where.
    pub slot: u16,
    /// How many of the slot's bytes.
    pub bytes: u32,
    /// When it was there whole.
    pub arrived_at: Monotonic,
    /// When nobody waits for it any more.
    pub deadline: Monotonic,
    /// How it is to be looked at.
    pub options: LookOptions,
    /// Units that have failed it.
    pub attempts: u8,
    /// The zone of the last of them.
    pub failed_in: Option<usize>,
}

impl ImageWork {
    /// What it costs: the looks that its framing takes.
    pub fn transactions(&self) -> u32 {
        self.options.framing.transactions()
    }
}

/// What kind of input it is: an image is decoded by its unit, a frame has been.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WorkKind {
    /// From a camera.
    Frame,
    /// From outside.
    Image,
}

/// Either.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// From a camera.
    Frame(FrameWork),
    /// From outside.
    Image(ImageWork),
}

impl Work {
    /// Which of the two.
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

    /// What lies there.
    pub fn content(&self) -> SlotContent {
        match self {
            Self::Frame(work) => SlotContent::Raw(work.frame.picture),
            Self::Image(work) => SlotContent::Encoded { bytes: work.bytes },
        }
    }

    /// How it is to be looked at; a frame as the manifest says, but for its framing.
    pub fn options(&self) -> LookOptions {
        match self {
            Self::Frame(work) => LookOptions { framing: work.framing, ..LookOptions::default() },
            Self::Image(work) => work.options,
        }
    }

    /// What it costs, and is charged everywhere: the looks that it takes.
    pub fn transactions(&self) -> u32 {
        match self {
            Self::Frame(work) => work.transactions(),
            Self::Image(work) => work.transactions(),
        }
    }

    /// Since when it wants a unit.
    pub fn since(&self) -> Monotonic {
        match self {
            Self::Frame(work) => work.frame.captured_at,
            Self::Image(work) => work.arrived_at,
        }
    }

    /// Units that have failed it.
    pub fn attempts(&self) -> u8 {
        match self {
            Self::Frame(work) => work.attempts,
            Self::Image(work) => work.attempts,
        }
    }

    /// The zone of the unit that has failed it: it is better tried elsewhere.
    pub fn failed_in(&self) -> Option<usize> {
        match self {
            Self::Frame(work) => work.failed_in,
            Self::Image(work) => work.failed_in,
        }
    }

    /// One more unit has failed it, in this zone.
    pub fn count_attempt(&mut self, zone: usize) {
        let (attempts, failed_in) = match self {
            Self::Frame(work) => (&mut work.attempts, &mut work.failed_in),
            Self::Image(work) => (&mut work.attempts, &mut work.failed_in),
        };
        *attempts += 1;
        *failed_in = Some(zone);
    }
}
