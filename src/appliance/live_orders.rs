//! Has capture processes write live video for the cameras that somebody watches.
//!
//! An order is a pipe: the process gets the writing end, the relay reads the other one. It is given when the first viewer comes, and with
//! each connection of a camera that is watched. The relay closes the pipe when the last viewer has gone, and that ends the order.

use crate::camera::capture_process::CaptureProcesses;
use crate::ipc::messages::CameraIndex;
use crate::live::Relay;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::os::fd::AsFd;

/// The newest connection of each camera, and who watches.
#[derive(Debug)]
pub(super) struct LiveOrders {
    relay: Relay,
    connections: BTreeMap<CameraId, (usize, CameraIndex)>,
}

impl LiveOrders {
    pub(super) fn new(relay: Relay) -> Self {
        Self { relay, connections: BTreeMap::new() }
    }

    /// The first viewer of a camera has come.
    pub(super) fn watched(&self, camera: &CameraId, captures: &CaptureProcesses) {
        if let Some((group, index)) = self.connections.get(camera) {
            self.order(camera, *group, *index, captures);
        }
    }

    /// A camera is being connected.
    pub(super) fn opened(&mut self, camera: CameraId, group: usize, index: CameraIndex, captures: &CaptureProcesses) {
        if self.relay.is_watched(&camera) {
            self.order(&camera, group, index, captures);
        }
        self.connections.insert(camera, (group, index));
    }

    /// A connection that is closed meanwhile has no effect: the process closes the pipe.
    fn order(&self, camera: &CameraId, group: usize, index: CameraIndex, captures: &CaptureProcesses) {
        let ordered = std::io::pipe().and_then(|(reader, writer)| {
            self.relay.connect(camera, reader.into())?;
            captures.live(group, index, writer.as_fd());
            Ok(())
        });
        if let Err(error) = ordered {
            tracing::warn!(%camera, %error, "live video could not be ordered");
        }
    }
}
