//! The connections of a camera, as snapshots of its frames need them.

use crate::ipc::messages::CameraIndex;

/// The connections of the camera of a frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FrameConnection {
    /// The group of the capture process that holds the frame.
    pub(super) group: usize,
    /// The connection that it came over.
    pub(super) index: CameraIndex,
    /// That of the camera's main stream, or why it has none now; `None` if the frame's stream is the only one.
    pub(super) main: Option<Result<CameraIndex, String>>,
}
