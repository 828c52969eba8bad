//! What is done for the cameras of a capture process.

use crate::ipc::messages::CameraIndex;

/// An action that the shell performs for a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CaptureAction {
    /// Start the capture process.
    Start,
    /// Ask the capture process to exit.
    Stop,
    /// Kill the capture process.
    Kill {
        /// The reason, for the log.
        why: &'static str,
    },
    /// Give a camera a region and connect it.
    Open {
        /// Its position in [`CaptureGroup::cameras`](crate::camera::capture_group::CaptureGroup::cameras).
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
    /// Disconnect a camera.
    Close {
        /// Its position in [`CaptureGroup::cameras`](crate::camera::capture_group::CaptureGroup::cameras).
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
    /// Connect the main stream of a camera. It needs no region.
    OpenMain {
        /// Its position in [`CaptureGroup::cameras`](crate::camera::capture_group::CaptureGroup::cameras).
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
    /// Disconnect the main stream of a camera.
    CloseMain {
        /// Its position in [`CaptureGroup::cameras`](crate::camera::capture_group::CaptureGroup::cameras).
        camera: usize,
        /// Identifies this connection in messages.
        index: CameraIndex,
    },
}
