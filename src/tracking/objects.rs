//! The objects of one camera, begun or on trial.

use crate::tracking::association::associate;
use crate::tracking::detections::{MAX_OBJECTS, ObjectDetection};
use crate::tracking::event::TrackEvent;
use crate::tracking::frame_pace::FramePace;
use crate::tracking::history::History;
use crate::tracking::rules::{Strength, TrackingRules};
use crate::tracking::tracked_object::TrackedObject;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// At most [`MAX_OBJECTS`] objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    all: Vec<TrackedObject>,
}

impl Objects {
    /// Records the detections of a frame. Returns the track of each detection, if it has begun, and the events. Objects that
    /// begin take their numbers from `next_track`.
    pub(super) fn observe(
        &mut self,
        detections: &[ObjectDetection<'_>],
        rules: &TrackingRules,
        (at, pace): (Monotonic, &FramePace),
        was_still: bool,
        next_track: &mut u64,
    ) -> (Vec<Option<u64>>, Vec<TrackEvent>) {
        for object in &mut self.all {
            object.predict(at);
        }
        let mut object_of = associate(&self.all, detections, rules, at, pace);
        let mut is_seen = vec![false; self.all.len()];
        for (detection, index) in detections.iter().zip(&mut object_of) {
            match *index {
                Some(index) => {
                    self.all[index].see(detection, rules, at);
                    is_seen[index] = true;
                }
                None if detection.strength == Strength::Strong && self.all.len() < MAX_OBJECTS => {
                    *index = Some(self.all.len());
                    self.all.push(TrackedObject::new(detection, rules, at));
                }
                None => {}
            }
        }
        for (object, _) in self.all.iter_mut().zip(is_seen).filter(|(_, is_seen)| !is_seen) {
            object.history.miss(was_still);
        }
        let events = self.events(rules, at, next_track);
        let tracks = object_of.into_iter().map(|index| self.all[index?].history.track()).collect();
        self.all.retain(|object| !object.history.is_doubtful());
        (tracks, events)
    }

    fn events(&mut self, rules: &TrackingRules, at: Monotonic, next_track: &mut u64) -> Vec<TrackEvent> {
        let mut events = Vec::new();
        for object in &mut self.all {
            if object.history.is_due(rules) {
                events.push(object.history.begin(*next_track, at));
                *next_track += 1;
            }
            events.extend(object.history.change(rules.best_step, at));
        }
        events
    }

    /// Nothing has changed up to `at`: what has begun stands where it stood.
    pub(super) fn still(&mut self, at: Monotonic) {
        self.all.iter_mut().filter(|object| object.history.track().is_some()).for_each(|object| object.still(at));
    }

    /// Ends what looks at a still scene show no longer.
    pub(super) fn end_unseen(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        let is_unseen = |object: &mut TrackedObject| object.history.is_unseen();
        self.all.extract_if(.., is_unseen).filter_map(|object| object.history.end(now)).collect()
    }

    /// True if something that has begun and is seen at `at` moves.
    pub(super) fn moves(&self, at: Monotonic) -> bool {
        self.all.iter().any(|object| object.history.track().is_some() && object.moves(at))
    }

    /// True if something that has not begun is seen at `at`.
    pub(super) fn has_trial(&self, at: Monotonic) -> bool {
        self.all.iter().any(|object| object.history.track().is_none() && object.history.last_seen() == at)
    }

    /// Ends objects that were last seen longer than `lost_after` before `now`.
    pub(super) fn end_lost(&mut self, lost_after: Duration, now: Monotonic) -> Vec<TrackEvent> {
        let is_lost = |object: &mut TrackedObject| now.since(object.history.last_seen()) > lost_after;
        self.all.extract_if(.., is_lost).filter_map(|object| object.history.end(now)).collect()
    }

    /// Ends all objects.
    pub(super) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        self.all.drain(..).filter_map(|object| object.history.end(now)).collect()
    }

    /// Returns changes that had to wait because of the last event.
    pub(super) fn changes(&mut self, rules: &TrackingRules, now: Monotonic) -> Vec<TrackEvent> {
        self.all.iter_mut().filter_map(|object| object.history.change(rules.best_step, now)).collect()
    }

    /// The label of each object that has begun.
    pub(super) fn present(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|object| &object.history).filter(|history| history.track().is_some()).map(History::label)
    }
}
