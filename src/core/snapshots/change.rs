//! Other settings, and cameras that go, while the box runs.

use super::{Snapshots, answer, report_end};
use crate::camera::settings::SnapshotSettings;
use crate::control::snapshots::{SnapshotRefusal, SnapshotReply};
use crate::core::effect::Effect;
use crate::core::report::{Report, SnapshotResult};
use crate::core::snapshots::policy::SnapshotPolicy;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;

impl Snapshots {
    /// Applies other settings. Limits begin anew; pictures that were ordered are still taken.
    pub(in crate::core) fn change(&mut self, settings: SnapshotSettings) {
        self.policy = SnapshotPolicy::new(settings.per_minute);
        self.settings = settings;
    }

    /// Forgets the pictures of a camera, those too that are being made: they show what must not be seen any more.
    pub(in crate::core) fn forget_pictures(&mut self, camera: &CameraId, now: Monotonic, effects: &mut Vec<Effect>) {
        self.newest.remove(camera);
        self.viewed.remove(camera);
        let why = "the parts of it that are black have changed";
        self.end_all(|ordered| ordered.camera == *camera, why, now, effects);
        effects.push(Effect::Report(Report::SnapshotsForgotten(camera.clone())));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::snapshots::Snapshot;
    use crate::core::snapshots::ordered::Ordered;
    use crate::ipc::snapshot_messages::SnapshotId;
    use crate::vision::picture_source::PictureSource;

    #[test]
    fn pictures_that_must_not_be_seen_any_more_are_forgotten_with_those_that_are_being_made() {
        let mut snapshots = Snapshots::new(SnapshotSettings::default());
        let now = Monotonic::from_nanos(0);
        for (id, name) in [(1, "yard"), (2, "gate")] {
            let camera = CameraId::new(name).unwrap();
            let (jpeg, source) = ([1, 2].as_slice().into(), PictureSource::Frame);
            let picture = Snapshot { jpeg, source, frame: 1, captured_at: now, captured_at_ms: None, event: None };
            snapshots.newest.insert(camera.clone(), picture.clone());
            snapshots.viewed.insert(camera.clone(), picture);
            let (event, without_main, waiting) = Default::default();
            let ordered =
                Ordered { camera, group: 0, frame: 2, captured_at: now, event, without_main, waiting, deadline: now };
            snapshots.ordered.insert(SnapshotId(id), ordered);
        }
        let (mut effects, yard) = (Vec::new(), CameraId::new("yard").unwrap());
        snapshots.forget_pictures(&yard, now, &mut effects);
        let cameras = |kept: &std::collections::BTreeMap<CameraId, Snapshot>| {
            kept.keys().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            (cameras(&snapshots.newest), cameras(&snapshots.viewed)),
            (vec!["gate".to_owned()], vec!["gate".to_owned()])
        );
        assert!(!snapshots.ordered.contains_key(&SnapshotId(1)) && snapshots.ordered.contains_key(&SnapshotId(2)));
        assert!(matches!(effects.first(), Some(Effect::ForgetSnapshot(SnapshotId(1)))), "{effects:?}");
        assert!(matches!(effects.last(), Some(Effect::Report(Report::SnapshotsForgotten(camera))) if *camera == yard));
    }
}
