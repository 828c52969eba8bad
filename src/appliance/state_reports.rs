//! Decides which states are published now: those that changed, and each once a minute.

use crate::publish::state_message::{BoxStateMessage, CameraStateMessage, STATE_INTERVAL};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// The states as they were last published, and when.
#[derive(Debug, Default)]
pub(super) struct StateReports {
    cameras: BTreeMap<CameraId, (CameraStateMessage, Monotonic)>,
    whole_box: Option<(BoxStateMessage, Monotonic)>,
}

impl StateReports {
    /// True if this state of a camera is to be published now. It then counts as published.
    pub(super) fn is_camera_due(&mut self, camera: &CameraId, state: &CameraStateMessage, now: Monotonic) -> bool {
        let last = self.cameras.get(camera);
        if last.is_some_and(|(last, at)| !state.is_news_after(last) && now.since(*at) < STATE_INTERVAL) {
            return false;
        }
        self.cameras.insert(camera.clone(), (state.clone(), now));
        true
    }

    /// True if this state of the box is to be published now. It then counts as published.
    pub(super) fn is_box_due(&mut self, state: &BoxStateMessage, now: Monotonic) -> bool {
        let last = self.whole_box.as_ref();
        if last.is_some_and(|(last, at)| !state.is_news_after(last) && now.since(*at) < STATE_INTERVAL) {
            return false;
        }
        self.whole_box = Some((state.clone(), now));
        true
    }

    /// Forgets a camera, so that its state is news.
    pub(super) fn forget(&mut self, camera: &CameraId) {
        self.cameras.remove(camera);
    }

    /// Forgets the cameras for which `is_there` is false, so that one that comes back is news.
    pub(super) fn keep(&mut self, is_there: impl Fn(&CameraId) -> bool) {
        self.cameras.retain(|camera, _| is_there(camera));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::state_message::{SCHEMA_CAMERA_STATE, SCHEMA_STATE};
    use crate::vision::camera_status::CameraStatus;
    use crate::vision::health_status::HealthStatus;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn state(state: CameraStatus, fps: f32) -> CameraStateMessage {
        let schema = SCHEMA_CAMERA_STATE;
        CameraStateMessage {
            schema,
            state,
            codec: None,
            width: None,
            height: None,
            fps,
            reason: None,
            main: None,
            box_id: None,
            epoch: None,
            owner_uncertain: false,
        }
    }

    #[test]
    fn a_state_is_published_at_a_change_and_each_minute() {
        let (mut reports, yard) = (StateReports::default(), CameraId::new("yard").unwrap());
        let (streaming, slower) = (state(CameraStatus::Streaming, 5.0), state(CameraStatus::Streaming, 4.0));
        assert!(reports.is_camera_due(&yard, &streaming, at(0)));
        assert!(!reports.is_camera_due(&yard, &slower, at(1)));
        assert!(reports.is_camera_due(&yard, &slower, at(60)));
        assert!(!reports.is_camera_due(&yard, &slower, at(119)));
        assert!(reports.is_camera_due(&yard, &state(CameraStatus::Offline, 4.0), at(119)));
        reports.keep(|_| false);
        assert!(reports.is_camera_due(&yard, &state(CameraStatus::Offline, 4.0), at(120)), "it is a new camera");
    }

    #[test]
    fn small_steps_add_up_to_a_change() {
        let (mut reports, yard) = (StateReports::default(), CameraId::new("yard").unwrap());
        let due: Vec<bool> = (0..4)
            .map(|step| {
                let fps = 10.0 - 1.0 * step as f32;
                reports.is_camera_due(&yard, &state(CameraStatus::Streaming, fps), at(step))
            })
            .collect();
        assert_eq!(due, [true, false, false, true]);
    }

    #[test]
    fn a_box_without_a_change_is_published_each_minute() {
        let (mut reports, whole_box) = (
            StateReports::default(),
            BoxStateMessage {
                schema: SCHEMA_STATE,
                version: "0.1.0".into(),
                boot_id: "5f1c".into(),
                status: HealthStatus::Ok,
                in_service_units: 0,
                desired_units: 0,
                streaming_cameras: 0,
                wanted_cameras: 0,
                models: BTreeMap::new(),
                degraded: vec![],
            },
        );
        let due: Vec<u64> = (0..=130).filter(|second| reports.is_box_due(&whole_box, at(*second))).collect();
        assert_eq!(due, [0, 60, 120]);
    }
}
