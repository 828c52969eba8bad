//! The event of a camera that is covered, blurred or turned away: it begins and ends like that of an object.

use crate::tracking::{EventKind, TrackEvent};
use crate::vision::monotonic::Monotonic;
use crate::vision::tamper::TamperKind;

/// The label of its events.
const LABEL: &str = "tampered";

/// What was done to one camera, and what was told of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tampering {
    kind: Option<TamperKind>,
    begun: Option<TrackEvent>,
}

impl Tampering {
    /// What was done to the camera by now.
    pub(super) fn tell(&mut self, kind: Option<TamperKind>) {
        self.kind = kind;
    }

    /// What is to be told with a frame that was captured at `at`. `number` gives the event a track of its own.
    pub(super) fn event(&mut self, at: Monotonic, number: impl FnOnce() -> u64) -> Option<TrackEvent> {
        match (self.kind, &self.begun) {
            (Some(_), None) => {
                let event = TrackEvent {
                    kind: EventKind::Began,
                    track: number(),
                    label: LABEL.to_owned(),
                    began_at: at,
                    at,
                    ended_at: None,
                    confidence: 1.0,
                    best_box: None,
                    best_at: at,
                    bounding_box: None,
                    is_new_best: true,
                    regions: Vec::new(),
                };
                self.begun = Some(event.clone());
                Some(event)
            }
            (None, Some(_)) => self.end(at),
            _ => None,
        }
    }

    /// Ends it, because it is over or the camera is lost.
    pub(super) fn end(&mut self, at: Monotonic) -> Option<TrackEvent> {
        self.kind = None;
        let begun = self.begun.take()?;
        Some(TrackEvent { kind: EventKind::Ended, at, ended_at: Some(at), is_new_best: false, ..begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_once_and_ends_once() {
        let mut tampering = Tampering::default();
        let at = |seconds: u64| Monotonic::from_nanos(seconds * 1_000_000_000);
        assert_eq!(tampering.event(at(1), || 1), None);
        tampering.tell(Some(TamperKind::Covered));
        let began = tampering.event(at(2), || 7).unwrap();
        assert_eq!((began.kind, began.track, began.is_new_best), (EventKind::Began, 7, true));
        tampering.tell(Some(TamperKind::Turned));
        assert_eq!(tampering.event(at(3), || 8), None);
        tampering.tell(None);
        let ended = tampering.event(at(4), || 8).unwrap();
        assert_eq!(
            (ended.kind, ended.track, ended.began_at, ended.ended_at),
            (EventKind::Ended, 7, at(2), Some(at(4)))
        );
        assert_eq!((tampering.event(at(5), || 8), tampering.end(at(6))), (None, None));
    }
}
