//! Pictures that are wanted or being made.

use crate::core::event::SnapshotTicket;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;

/// A request that waits for a picture of a camera's next frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) deadline: Monotonic,
    /// Identifies the reply; `None`: the picture is stored and published instead.
    pub(super) ticket: Option<SnapshotTicket>,
    /// For a person who looks: an older picture is better than none.
    pub(super) is_view: bool,
    /// For a model: the frame alone.
    pub(super) is_plain: bool,
}

/// A picture that a capture process is making.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) camera: CameraId,
    pub(super) group: usize,
    pub(super) frame: u64,
    pub(super) captured_at: Monotonic,
    pub(super) event: Option<String>,
    /// Why the main stream has no picture of it, if that is known already.
    pub(super) without_main: Option<String>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) deadline: Monotonic,
}

/// What a picture is taken for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// An event, by its id.
    Event(String),
    /// Waiting requests.
    Requests(Vec<Waiting>),
}
