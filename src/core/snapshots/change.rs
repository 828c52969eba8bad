//! Other settings, and cameras that go, while the box runs.

use super::{Snapshots, answer, report_end};
use crate::camera::settings::SnapshotSettings;
use crate::control::snapshots::{SnapshotRefusal, SnapshotReply};
use crate::core::effect::Effect;
use crate::core::report::SnapshotResult;
use crate::core::snapshots::policy::SnapshotPolicy;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;

impl Snapshots {
    /// Applies other settings. Limits begin anew; pictures that were ordered are still taken.
    pub(in crate::core) fn change(&mut self, settings: SnapshotSettings) {
        self.policy = SnapshotPolicy::new(settings.per_minute);
        self.settings = settings;
    }

    /// Forgets a camera: its newest picture, and what waits for another one.
    pub(in crate::core) fn remove(&mut self, camera: &CameraId, now: Monotonic, effects: &mut Vec<Effect>) {
        self.newest.remove(camera);
        self.viewed.remove(camera);
        for waiting in self.waiting.remove(camera).unwrap_or_default() {
            let refusal = SnapshotRefusal::NoFrame { camera: camera.to_string(), state: "removed".into() };
            report_end(camera, SnapshotResult::Failed, Some(refusal.to_string()), effects);
            answer(waiting, &SnapshotReply::Refused(refusal), effects);
        }
        self.end_all(|ordered| ordered.camera == *camera, "its camera was removed", now, effects);
    }
}
