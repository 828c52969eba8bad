//! Since when each camera has been on its box, by the plan as it was read, whoever wrote it.

use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// A camera that has moved stays for so long, unless it must go: each move costs a gap of a second or two.
pub(super) const REST: Duration = Duration::from_secs(60);

/// The plan of the last look, with times. What a new placer finds counts as moved just then, since it may have been.
#[derive(Debug, Default)]
pub(super) struct History(BTreeMap<CameraId, (String, Monotonic)>);

impl History {
    /// Compares the plan with that of the last look.
    pub(super) fn look(&mut self, plan: &BTreeMap<CameraId, String>, now: Monotonic) {
        let is_kept =
            |((camera, (kept, _)), (other, name)): ((&CameraId, &(String, _)), _)| (camera, kept) == (other, name);
        if self.0.len() == plan.len() && self.0.iter().zip(plan).all(is_kept) {
            return;
        }
        self.0.retain(|camera, _| plan.contains_key(camera));
        for (camera, name) in plan {
            match self.0.get_mut(camera) {
                Some((kept, _)) if kept == name => {}
                Some(kept) => *kept = (name.clone(), now),
                None => drop(self.0.insert(camera.clone(), (name.clone(), now))),
            }
        }
    }

    /// True if the camera may be moved again for a reason that can wait.
    pub(super) fn has_rested(&self, camera: &CameraId, now: Monotonic) -> bool {
        self.0.get(camera).is_some_and(|(_, since)| now.since(*since) >= REST)
    }
}
