//! The objects of one camera: those that have begun and those on trial.

use crate::tracking::association::associate;
use crate::tracking::event::TrackEvent;
use crate::tracking::found::{FoundObject, MAX_OBJECTS};
use crate::tracking::history::History;
use crate::tracking::rules::{Strength, TrackingRules};
use crate::tracking::tracked_object::TrackedObject;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// At most [`MAX_OBJECTS`] of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    all: Vec<TrackedObject>,
}

impl Objects {
    /// Takes in what a frame showed: the track of each box, if it has begun, and what there is to tell.
    /// Objects that begin get their numbers from `next_track`.
    pub(super) fn observe(
        &mut self,
        found: &[FoundObject<'_>],
        rules: &TrackingRules,
        at: Monotonic,
        next_track: &mut u64,
    ) -> (Vec<Option<u64>>, Vec<TrackEvent>) {
        for object in &mut self.all {
            object.predict(at);
        }
        let mut object_of = associate(&self.all, found, at, rules.lost_after / 2);
        let mut is_seen = vec![false; self.all.len()];
        for (found, place) in found.iter().zip(&mut object_of) {
            match *place {
                Some(place) => {
                    self.all[place].see(found, rules, at);
                    is_seen[place] = true;
                }
                None if found.strength == Strength::Strong && self.all.len() < MAX_OBJECTS => {
                    *place = Some(self.all.len());
                    self.all.push(TrackedObject::new(found, rules, at));
                }
                None => {}
            }
        }
        for (object, _) in self.all.iter_mut().zip(is_seen).filter(|(_, is_seen)| !is_seen) {
            object.history.miss();
        }
        let events = self.tell(rules, at, next_track);
        let tracks = object_of.into_iter().map(|place| self.all[place?].history.track()).collect();
        self.all.retain(|object| !object.history.is_doubtful());
        (tracks, events)
    }

    fn tell(&mut self, rules: &TrackingRules, at: Monotonic, next_track: &mut u64) -> Vec<TrackEvent> {
        let mut events = Vec::new();
        for object in &mut self.all {
            if object.history.is_due(rules.min_hits) {
                events.push(object.history.begin(*next_track, at));
                *next_track += 1;
            }
            events.extend(object.history.change(rules.best_step, at));
        }
        events
    }

    /// Ends what was last seen longer than `lost_after` before `now`.
    pub(super) fn end_lost(&mut self, lost_after: Duration, now: Monotonic) -> Vec<TrackEvent> {
        let is_lost = |object: &mut TrackedObject| now.since(object.history.last_seen()) > lost_after;
        self.all.extract_if(.., is_lost).filter_map(|object| object.history.end(now)).collect()
    }

    /// Ends all.
    pub(super) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        self.all.drain(..).filter_map(|object| object.history.end(now)).collect()
    }

    /// Changes that had to wait for their time.
    pub(super) fn changes(&mut self, rules: &TrackingRules, now: Monotonic) -> Vec<TrackEvent> {
        self.all.iter_mut().filter_map(|object| object.history.change(rules.best_step, now)).collect()
    }

    /// The labels of those that have begun.
    pub(super) fn present(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|object| &object.history).filter(|history| history.track().is_some()).map(History::label)
    }
}
