//! Cameras whose video nobody may see, because it would show what is black in their snapshots.

use crate::vision::camera_id::CameraId;
use std::collections::{BTreeSet, VecDeque};

/// Their last events that are known, so that whoever asks for a clip is told why there is none.
const MOST_EVENTS: usize = 1000;

/// The cameras, and their last events.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    cameras: BTreeSet<CameraId>,
    /// The oldest first.
    events: VecDeque<(CameraId, String)>,
}

impl Withheld {
    /// Nobody may see these cameras from now on.
    pub(super) fn set(&mut self, cameras: BTreeSet<CameraId>) {
        self.events.retain(|(camera, _)| cameras.contains(camera));
        self.cameras = cameras;
    }

    /// Remembers an event, if it is of such a camera.
    pub(super) fn note(&mut self, camera: &CameraId, event: &str) {
        if !self.has_camera(camera) {
            return;
        }
        if self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back((camera.clone(), event.to_owned()));
    }

    pub(super) fn has_camera(&self, camera: &CameraId) -> bool {
        self.cameras.contains(camera)
    }

    pub(super) fn has_event(&self, event: &str) -> bool {
        self.events.iter().any(|(_, other)| other == event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_of_such_cameras_are_known_and_no_others() {
        let [yard, gate] = ["yard", "gate"].map(|id| CameraId::new(id).unwrap());
        let mut withheld = Withheld::default();
        withheld.set(BTreeSet::from([yard.clone()]));
        withheld.note(&gate, "of the gate");
        (0..=MOST_EVENTS).for_each(|event| withheld.note(&yard, &event.to_string()));
        assert!(withheld.has_event("1") && !withheld.has_event("0") && !withheld.has_event("of the gate"));
        withheld.set(BTreeSet::from([gate]));
        assert!(!withheld.has_event("1") && !withheld.has_camera(&yard));
    }
}
