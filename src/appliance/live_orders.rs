//! Has capture processes write live video for the cameras that somebody watches, and clips.
//!
//! An order is a pipe: the process gets the writing end, the relay reads the other one. It is given when the first viewer comes, and with
//! each connection of a camera that is watched. The relay closes the pipe when the last viewer has gone, and that ends the order.
//! An order of a clip is one too, beside it, and ends with its connection.

use crate::camera::capture_process::CaptureProcesses;
use crate::clips::{ClipOrder, Clips};
use crate::ipc::messages::CameraIndex;
use crate::live::{NotShown, Relay};
use crate::settings::Settings;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::os::fd::AsFd;

/// The newest connection of each camera, and who watches.
#[derive(Debug)]
pub(super) struct LiveOrders {
    relay: Relay,
    clips: Clips,
    connections: BTreeMap<CameraId, (usize, CameraIndex)>,
}

impl LiveOrders {
    pub(super) fn new(relay: Relay, clips: Clips) -> Self {
        Self { relay, clips, connections: BTreeMap::new() }
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

    /// A clip of a camera is to be made.
    pub(super) fn record(&self, order: ClipOrder, captures: &CaptureProcesses) {
        let camera = order.camera.clone();
        let Some((group, index)) = self.connections.get(&camera) else { return self.clips.cannot_begin(&order) };
        let ordered = match std::io::pipe() {
            Ok((reader, writer)) => {
                let connected = self.clips.connect(order, reader.into());
                connected.map(|()| captures.clip(*group, *index, writer.as_fd()))
            }
            Err(error) => {
                self.clips.cannot_begin(&order);
                Err(error)
            }
        };
        if let Err(error) = ordered {
            tracing::warn!(%camera, %error, "a clip could not be ordered");
        }
    }

    /// What the settings say of cameras that are shown to nobody, and of those that have clips.
    pub(super) fn set_cameras(&mut self, settings: &Settings) {
        let blacked_out = settings.blacked_out_cameras();
        let why =
            |camera: &CameraId| if blacked_out.contains(camera) { NotShown::BlackedOut } else { NotShown::Private };
        let private = settings.private_cameras().into_iter();
        self.relay.set_private(private.map(|camera| (camera.clone(), why(&camera))).collect());
        self.clips.set_cameras(settings.cameras_with_clips(), blacked_out);
        self.connections.retain(|camera, _| settings.cameras.iter().any(|configured| configured.id == *camera));
    }

    /// Clips, as others need them.
    pub(super) fn clips(&self) -> &Clips {
        &self.clips
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::ClipRules;
    use crate::clips::settings::ClipSettings;
    use crate::settings::tests::settings;
    use crate::telemetry::troubles::Troubles;

    #[tokio::test]
    async fn connections_of_cameras_that_are_gone_are_forgotten_and_what_is_hidden_is_said() {
        let home = tempfile::tempdir().unwrap();
        let rules = ClipRules::new(&ClipSettings::default(), 0);
        let (clips, _orders) = Clips::start(&rules, home.path(), Default::default(), Troubles::default()).unwrap();
        let mut orders = LiveOrders::new(Relay::without_cameras(), clips);
        let [yard, gate] = ["yard", "gate"].map(|id| CameraId::new(id).unwrap());
        for camera in [&yard, &gate] {
            orders.connections.insert(camera.clone(), (0, CameraIndex(1)));
        }
        let of_yard = |more: &str| settings(&format!("[[cameras]]\nid = \"yard\"\nurl = \"rtsp://a/\"\n{more}"));
        orders.set_cameras(&of_yard("live = false"));
        assert_eq!(orders.connections.keys().collect::<Vec<_>>(), [&yard]);
        assert_eq!(orders.relay.why_private(&yard), Some(NotShown::Private));
        orders.set_cameras(&of_yard("live = true\nblackout = [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]]"));
        assert_eq!(orders.relay.why_private(&yard), Some(NotShown::BlackedOut));
        orders.set_cameras(&of_yard(""));
        assert_eq!(orders.relay.why_private(&yard), None);
    }
}
