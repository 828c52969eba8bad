//! One camera of a group, with its open connections.

use crate::camera::camera_due::CameraDue;
use crate::camera::camera_state::Camera;
use crate::camera::capture_action::CaptureAction;
use crate::ipc::messages::{CameraIndex, LossKind};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) camera: Camera,
    pub(super) index: Option<CameraIndex>,
    /// That of the main stream.
    pub(super) main: Option<CameraIndex>,
}

impl Member {
    pub(super) fn new(camera: Camera) -> Self {
        Self { camera, index: None, main: None }
    }

    /// Forgets its open connections, which are to be closed.
    pub(super) fn take_open(&mut self) -> Vec<CameraIndex> {
        self.index.take().into_iter().chain(self.main.take()).collect()
    }
    /// What is due for the main stream of the camera at `position`, with the longest times without a packet and before the
    /// first one.
    pub(super) fn tick_main(
        &mut self,
        position: usize,
        (stall, connect): (Duration, Duration),
        indices: &mut u64,
        now: Monotonic,
    ) -> Option<CaptureAction> {
        match self.camera.main_due(stall, connect, now) {
            CameraDue::Wait => None,
            CameraDue::Open => {
                let index = next_index(indices);
                self.main = Some(index);
                self.camera.main_opened(now);
                Some(CaptureAction::OpenMain { camera: position, index })
            }
            CameraDue::Close { why } => {
                self.camera.main_lost(LossKind::Stalled, why, now);
                Some(CaptureAction::CloseMain { camera: position, index: self.main.take()? })
            }
        }
    }
}

/// An index that no other connection has.
pub(super) fn next_index(indices: &mut u64) -> CameraIndex {
    *indices += 1;
    CameraIndex(*indices - 1)
}
