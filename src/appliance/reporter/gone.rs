//! Cameras that came or are gone: what is kept and shown of them.

use super::Reporter;
use crate::control::ApplianceStatus;
use crate::publish::cluster_link::ClusterCameras;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeSet;

impl Reporter {
    /// Shows new cameras at zero, and forgets those that are gone: what the broker retains of them is cleared.
    pub(in crate::appliance) fn set_cameras(&mut self, cameras: &[CameraId], cluster: ClusterCameras) {
        for camera in cameras.iter().filter(|camera| !self.shown_cameras.contains(camera)) {
            self.metrics.add_camera(camera);
            self.gone_cameras.remove(camera);
        }
        self.shown_cameras.extend(cameras.iter().cloned());
        self.told.retain(|camera, _| cameras.contains(camera));
        self.marks.forget_former(|camera| cameras.contains(camera) && !cluster.here.contains(camera));
        if let Some(publisher) = &mut self.publisher {
            publisher.set_cameras(cameras, cluster);
        }
    }

    /// Removes what is shown of cameras that are gone. Their metrics would keep their last values.
    pub(super) fn remove_gone(&mut self, status: &ApplianceStatus) {
        let shown: BTreeSet<CameraId> = status.cameras.keys().cloned().collect();
        let before = std::mem::replace(&mut self.shown_cameras, shown);
        for camera in before.difference(&self.shown_cameras) {
            self.metrics.remove_camera(camera);
            self.seen_now.remove(camera);
            // The core has told of its end since: counts of zero.
            self.told.remove(camera);
            self.gone_cameras.insert(camera.clone());
        }
    }
}
