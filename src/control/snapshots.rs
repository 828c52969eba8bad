//! Requests for a camera's snapshot, and their replies.

use crate::vision::monotonic::Monotonic;
use crate::vision::picture_source::PictureSource;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Queue capacity for requests. When the queue is full they are refused.
const REQUEST_QUEUE: usize = 16;

/// A picture of an analysed frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The picture as its capture process made it. The daemon has not parsed it.
    pub jpeg: Arc<[u8]>,
    /// Which of the camera's streams it shows.
    pub source: PictureSource,
    /// The number of the frame, as in its published detections.
    pub frame: u64,
    /// When the frame was captured.
    pub captured_at: Monotonic,
    /// When the frame was captured, by the wall clock; `None` while the clock is not synchronised.
    pub captured_at_ms: Option<i64>,
    /// The id of the event that the picture was made for, if any.
    pub event: Option<String>,
}

/// How new the picture of a request must be, and whether it is published.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotFreshness {
    /// The newest stored picture; if there is none, a picture of the next frame.
    Newest,
    /// A picture of the next frame. It is neither stored nor published.
    Fresh,
    /// For a person who looks: a picture that is at most two seconds old, else one of the next frame, else the newest that
    /// there is. It is not published. It has a limit of its own, which takes nothing from other requests.
    Recent,
    /// A picture of the next frame as its model is given it: of the analysed stream, in its own size and without boxes. It is
    /// neither stored nor published, and counts as a request.
    Plain,
    /// A picture of the next frame, stored and published like those of events. The reply comes as soon as it is accepted.
    Published,
}

/// Why a request gets no picture.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SnapshotRefusal {
    /// No camera has this id.
    #[error("there is no camera `{camera}`; there are: {known}")]
    NoSuchCamera {
        /// The id in the request.
        camera: String,
        /// The ids of all cameras.
        known: String,
    },
    /// The settings allow no snapshots.
    #[error("snapshots are switched off: `snapshots.per_minute` is 0")]
    Off,
    /// The camera delivers no frames.
    #[error("camera `{camera}` is {state}")]
    NotStreaming {
        /// The camera's id.
        camera: String,
        /// The camera's status and the reason for it.
        state: String,
    },
    /// The limit of snapshots a minute is reached.
    #[error("snapshot limit reached for camera `{camera}` (`snapshots.per_minute`)")]
    LimitReached {
        /// The camera's id.
        camera: String,
        /// How long to wait before a retry.
        retry_after: Duration,
    },
    /// No frame was analysed before the deadline.
    #[error("no frame of camera `{camera}` was analysed in time; the camera is {state}")]
    NoFrame {
        /// The camera's id.
        camera: String,
        /// The camera's status and the reason for it.
        state: String,
    },
    /// The capture process could not make the picture.
    #[error("the picture of a frame could not be made: {0}")]
    Failed(String),
    /// The queue is full, or the appliance is stopping.
    #[error("the appliance takes no requests for snapshots now; try again later")]
    Busy,
}

/// The reply to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SnapshotReply {
    /// The picture.
    Taken(Snapshot),
    /// The picture will be published.
    Accepted,
    /// There is no picture.
    Refused(SnapshotRefusal),
}

/// A request for a snapshot, as the appliance gets it.
#[derive(Debug)]
pub(crate) struct SnapshotRequest {
    /// The camera's id, not checked yet.
    pub(crate) camera: String,
    /// How new the picture must be.
    pub(crate) freshness: SnapshotFreshness,
    /// Takes the reply.
    pub(crate) reply: oneshot::Sender<SnapshotReply>,
}

/// The clients' end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct SnapshotClient {
    requests: mpsc::Sender<SnapshotRequest>,
}

impl SnapshotClient {
    /// Returns the clients' end and the appliance's end of the queue.
    pub(super) fn new() -> (Self, mpsc::Receiver<SnapshotRequest>) {
        let (requests, queue) = mpsc::channel(REQUEST_QUEUE);
        (Self { requests }, queue)
    }

    /// Sends a request and waits for the reply. The appliance limits the wait.
    pub async fn ask(&self, camera: String, freshness: SnapshotFreshness) -> SnapshotReply {
        let (reply, replied) = oneshot::channel();
        let busy = SnapshotReply::Refused(SnapshotRefusal::Busy);
        match self.requests.try_send(SnapshotRequest { camera, freshness, reply }) {
            Ok(()) => replied.await.unwrap_or(busy),
            Err(_) => busy,
        }
    }
}
