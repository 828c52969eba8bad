//! The way to a camera's picture: who wants which, and how they are answered.

use crate::vision::monotonic::Monotonic;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Those who ask and have not been heard yet; above it they are refused.
const ASKED_QUEUE: usize = 16;

/// A picture of a frame that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The picture, as its capture process made it: nobody here has looked into it.
    pub jpeg: Arc<[u8]>,
    /// The number of the frame, as in what is published about it.
    pub frame: u64,
    /// When the frame was captured.
    pub captured_at: Monotonic,
    /// The same by the wall clock; `None` while the box does not know the time.
    pub captured_at_ms: Option<i64>,
    /// The event that it was taken for, if it was.
    pub event: Option<String>,
}

/// Which picture is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotWish {
    /// The newest that is kept; where there is none, one of the next frame.
    Newest,
    /// One of the next frame, for whoever asks and nobody else.
    Fresh,
    /// One of the next frame, kept and published as those of events are. Answered as soon as it is accepted.
    Published,
}

/// Why there is no picture.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SnapshotRefusal {
    /// The name is wrong.
    #[error("there is no camera `{camera}`; there are: {known}")]
    NoSuchCamera {
        /// As it was given.
        camera: String,
        /// All of them.
        known: String,
    },
    /// By the settings.
    #[error("snapshots are switched off: `snapshots.per_minute` is 0")]
    Off,
    /// There are no frames of it.
    #[error("camera `{camera}` is {state}")]
    NotStreaming {
        /// Which.
        camera: String,
        /// What it is doing, and why.
        state: String,
    },
    /// Enough were taken of late.
    #[error("camera `{camera}` has had its `snapshots.per_minute`")]
    LimitReached {
        /// Which.
        camera: String,
        /// When there may be another.
        retry_after: Duration,
    },
    /// No unit looked at a frame meanwhile.
    #[error("no frame of camera `{camera}` was looked at in time; it is {state}")]
    NoFrame {
        /// Which.
        camera: String,
        /// What it is doing, and why.
        state: String,
    },
    /// The capture process did not make it.
    #[error("no picture could be made of a frame: {0}")]
    Failed(String),
    /// Too many ask, or the appliance stops.
    #[error("the appliance takes no more requests for snapshots now")]
    Busy,
}

/// How a request is answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SnapshotReply {
    /// Here it is.
    Taken(Snapshot),
    /// It will be published.
    Accepted,
    /// There is none.
    Refused(SnapshotRefusal),
}

/// A request on its way to the appliance.
#[derive(Debug)]
pub(crate) struct AskedSnapshot {
    /// Of which camera, as it was given.
    pub(crate) camera: String,
    /// Which picture.
    pub(crate) wish: SnapshotWish,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<SnapshotReply>,
}

/// The outside's end.
#[derive(Clone, Debug)]
pub struct SnapshotDesk {
    asked: mpsc::Sender<AskedSnapshot>,
}

impl SnapshotDesk {
    /// The outside's end, and the queue that the appliance empties.
    pub(super) fn new() -> (Self, mpsc::Receiver<AskedSnapshot>) {
        let (asked, queue) = mpsc::channel(ASKED_QUEUE);
        (Self { asked }, queue)
    }

    /// Asks for a picture and waits for it; the appliance bounds the wait.
    pub async fn ask(&self, camera: String, wish: SnapshotWish) -> SnapshotReply {
        let (reply, answered) = oneshot::channel();
        let busy = SnapshotReply::Refused(SnapshotRefusal::Busy);
        match self.asked.try_send(AskedSnapshot { camera, wish, reply }) {
            Ok(()) => answered.await.unwrap_or(busy),
            Err(_) => busy,
        }
    }
}
