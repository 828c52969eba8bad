//! The main streams of cameras with two: they have connections of their own, and no frames.

use super::Cameras;
use crate::camera::connection::Connection;
use crate::core::frame_connection::FrameConnection;
use crate::ipc::messages::{CameraIndex, FromCapture};
use crate::vision::monotonic::Monotonic;

impl Cameras {
    /// A message about the connection of a main stream; false if it is about none.
    pub(super) fn main_message(&mut self, group: usize, message: &FromCapture, now: Monotonic) -> bool {
        let Some(members) = self.groups.get_mut(group) else { return false };
        let (FromCapture::Streaming { camera: index, .. }
        | FromCapture::Progress { camera: index, .. }
        | FromCapture::Lost { camera: index, .. }) = message
        else {
            return false;
        };
        let Some(position) = members.find_main(*index) else { return false };
        match message {
            FromCapture::Streaming { info, .. } => members.main_streaming(position, info.clone(), now),
            FromCapture::Progress { counts, .. } => {
                members.alive(now);
                members.main_progress(position, *counts, now);
            }
            FromCapture::Lost { kind, detail, .. } => {
                members.alive(now);
                members.main_lost(position, *kind, detail.clone(), now);
            }
            _ => {}
        }
        true
    }

    /// The connections of a camera whose frame came over one; `None` once that is closed.
    pub(in crate::core) fn frame_connection(&self, group: usize, index: CameraIndex) -> Option<FrameConnection> {
        let members = self.groups.get(group)?;
        let position = members.find(index)?;
        let open = |main: &Connection| match members.main_of(position).filter(|_| main.is_streaming()) {
            Some(index) => Ok(index),
            None => Err(main.reason().unwrap_or("it is not connected yet").to_owned()),
        };
        Some(FrameConnection { group, index, main: members.camera(position).main().map(open) })
    }
}
