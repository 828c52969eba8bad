//! Objects that a box sees on a camera before it takes that over from another box. They begin, for subscribers, with its claim: what
//! is in view must not be missed, and what has left was told by the other box.

use crate::model::package::Package;
use crate::tracking::{EventKind, TrackEvent};
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An event that has not been published.
#[derive(Clone, Debug)]
pub(super) struct HeldEvent {
    pub(super) seq: u64,
    pub(super) event: TrackEvent,
    pub(super) package: Arc<Package>,
}

/// The objects in view of cameras that others publish. The trackers bound their number.
#[derive(Debug, Default)]
pub(super) struct HeldEvents(BTreeMap<CameraId, BTreeMap<u64, HeldEvent>>);

impl HeldEvents {
    /// Holds an event of a camera that another box publishes.
    pub(super) fn hold(&mut self, camera: &CameraId, held: HeldEvent) {
        let objects = self.0.entry(camera.clone()).or_default();
        let track = held.event.track;
        match (held.event.kind, objects.get_mut(&track)) {
            (EventKind::Ended, _) => drop(objects.remove(&track)),
            (EventKind::Changed, Some(known)) => {
                // It begins as it was seen best.
                let event = TrackEvent { kind: EventKind::Began, at: known.event.at, ..held.event };
                *known = HeldEvent { event, ..known.clone() };
            }
            (EventKind::Changed, None) => {}
            (EventKind::Began, _) => drop(objects.insert(track, held)),
        }
    }

    /// The objects in view of a camera that this box publishes from now on, or not at all any more.
    pub(super) fn take(&mut self, camera: &CameraId) -> Vec<HeldEvent> {
        self.0.remove(camera).map(|objects| objects.into_values().collect()).unwrap_or_default()
    }

    /// Forgets the cameras for which `is_there` is false.
    pub(super) fn keep(&mut self, is_there: impl Fn(&CameraId) -> bool) {
        self.0.retain(|camera, _| is_there(camera));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::monotonic::Monotonic;

    fn held(kind: EventKind, track: u64, at: u64, confidence: f32) -> HeldEvent {
        let at = Monotonic::from_nanos(at);
        let event = TrackEvent {
            kind,
            track,
            label: "person".into(),
            began_at: at,
            at,
            ended_at: None,
            confidence,
            best_box: None,
            best_at: at,
            bounding_box: None,
            is_new_best: false,
            regions: Vec::new(),
        };
        HeldEvent { seq: track, event, package: Arc::default() }
    }

    #[test]
    fn objects_in_view_begin_as_they_were_seen_best_and_those_that_left_do_not() {
        let (mut events, yard) = (HeldEvents::default(), CameraId::new("yard").unwrap());
        for event in [
            held(EventKind::Began, 1, 10, 0.5),
            held(EventKind::Began, 2, 11, 0.6),
            held(EventKind::Changed, 1, 20, 0.9),
            held(EventKind::Ended, 2, 21, 0.6),
            held(EventKind::Changed, 7, 22, 0.6),
        ] {
            events.hold(&yard, event);
        }
        let begun = events.take(&yard).into_iter().map(|it| (it.event.kind, it.event.track, it.event.confidence));
        assert_eq!(begun.collect::<Vec<_>>(), [(EventKind::Began, 1, 0.9)]);
        assert!(events.take(&yard).is_empty());
        events.hold(&yard, held(EventKind::Began, 3, 30, 0.5));
        events.keep(|_| false);
        assert!(events.take(&yard).is_empty());
    }
}
