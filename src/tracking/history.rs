//! The sightings of one object or image label, and which of their changes were reported.

use crate::tracking::event::{EventKind, TrackEvent};
use crate::tracking::rules::TrackingRules;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The least time between an event of a track and its next `Changed`. A person who walks towards the camera gets a better
/// picture in every frame, and each event is written to disk.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// A detector misses what stands now and then, but not in so many looks, one after the other.
const MOST_LOOKS_MISSED: u32 = 3;

/// One detection of an object or image label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sighting {
    /// 0..=1.
    pub(super) confidence: f32,
    /// `None` for an image label.
    pub(super) bounding_box: Option<NormalizedBox>,
    /// The capture time of the frame.
    pub(super) at: Monotonic,
}

/// The number of a track, and its last event.
#[derive(Clone, Copy, Debug)]
struct Reported {
    track: u64,
    at: Monotonic,
    confidence: f32,
}

/// An object or image label since its first sighting.
#[derive(Clone, Debug)]
pub(super) struct History {
    label: String,
    first_seen: Monotonic,
    last: Sighting,
    best: Sighting,
    hits: u32,
    /// The sum of the confidences of its sightings. Only used before it begins.
    confidences: f32,
    /// Frames that did not show it. Only used before it begins.
    misses: u32,
    /// Looks at a still scene, one after the other, that did not show it.
    looks_missed: u32,
    regions: Vec<String>,
    /// `None` until it has begun.
    reported: Option<Reported>,
    /// True if a region or label has not been reported yet.
    has_unreported: bool,
}

impl History {
    pub(super) fn new(label: &str, first: Sighting) -> Self {
        Self {
            label: label.to_owned(),
            first_seen: first.at,
            last: first,
            best: first,
            hits: 1,
            confidences: first.confidence,
            misses: 0,
            looks_missed: 0,
            regions: Vec::new(),
            reported: None,
            has_unreported: false,
        }
    }

    /// Records a sighting that is not older than the last one.
    pub(super) fn see(&mut self, sighting: Sighting) {
        self.last = sighting;
        self.hits = self.hits.saturating_add(1);
        self.confidences += sighting.confidence;
        self.looks_missed = 0;
        if sighting.confidence > self.best.confidence {
            self.best = sighting;
        }
    }

    /// Nothing has changed up to `at`, so it is still there.
    pub(super) fn still(&mut self, at: Monotonic) {
        if !self.is_unseen() {
            self.last.at = self.last.at.max(at);
        }
    }

    /// True if looks at a still scene, one after the other, did not show it.
    pub(super) fn is_unseen(&self) -> bool {
        self.looks_missed >= MOST_LOOKS_MISSED
    }

    /// Records a frame that did not show it.
    ///
    /// `was_still`: it was a look at a still scene.
    pub(super) fn miss(&mut self, was_still: bool) {
        self.misses = self.misses.saturating_add(1);
        self.looks_missed = self.looks_missed.saturating_add(u32::from(was_still));
    }

    /// True if it is to begin: seen often enough, and not begun yet.
    pub(super) fn is_due(&self, rules: &TrackingRules) -> bool {
        let mean = self.confidences / self.hits as f32;
        self.reported.is_none() && rules.lets_begin(&self.label, self.hits, self.misses, mean)
    }

    /// True if it has not begun and was missed more often than seen, as false boxes are. A few missed frames do not count
    /// against it, whatever the frame rate.
    pub(super) fn is_doubtful(&self) -> bool {
        self.reported.is_none() && self.misses > self.hits
    }

    /// Records that it stands in a region. Only the first time is reported.
    pub(super) fn enter(&mut self, region: &str) {
        if !self.regions.iter().any(|entered| entered == region) {
            self.regions.push(region.to_owned());
            self.has_unreported = true;
        }
    }

    /// Changes its label.
    pub(super) fn rename(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            self.has_unreported = true;
        }
    }

    /// The current label, which later sightings may change.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// When it was last seen.
    pub(super) fn last_seen(&self) -> Monotonic {
        self.last.at
    }

    /// The number of its track; `None` until it has begun.
    pub(super) fn track(&self) -> Option<u64> {
        self.reported.map(|reported| reported.track)
    }

    /// Lets it begin as number `track`.
    pub(super) fn begin(&mut self, track: u64, at: Monotonic) -> TrackEvent {
        // No snapshot of an earlier frame can be made, so this frame counts as the best.
        self.report(EventKind::Began, track, at, true)
    }

    /// Returns the changes to report at `at`, if there are any and the last event was long enough ago.
    pub(super) fn change(&mut self, best_step: f32, at: Monotonic) -> Option<TrackEvent> {
        let reported = self.reported?;
        let is_better = self.best.confidence >= reported.confidence + best_step;
        if !(self.has_unreported || is_better) || at.since(reported.at) < MIN_INTERVAL {
            return None;
        }
        Some(self.report(EventKind::Changed, reported.track, at, self.best.at == at))
    }

    /// Ends it. There is no event if it never began.
    pub(super) fn end(mut self, at: Monotonic) -> Option<TrackEvent> {
        let reported = self.reported?;
        Some(self.report(EventKind::Ended, reported.track, at, false))
    }

    fn report(&mut self, kind: EventKind, track: u64, at: Monotonic, is_new_best: bool) -> TrackEvent {
        // A tick passes the current time, a frame its capture time, which is earlier. Times of a track must not decrease.
        let at = self.reported.map_or(at, |reported| reported.at.max(at)).max(self.last.at);
        self.reported = Some(Reported { track, at, confidence: self.best.confidence });
        self.has_unreported = false;
        TrackEvent {
            kind,
            track,
            label: self.label.clone(),
            began_at: self.first_seen,
            at,
            ended_at: (kind == EventKind::Ended).then_some(self.last.at),
            confidence: self.best.confidence,
            best_box: self.best.bounding_box,
            best_at: self.best.at,
            bounding_box: self.last.bounding_box,
            is_new_best,
            regions: self.regions.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    fn seen(confidence: f32, ms: u64) -> Sighting {
        Sighting { confidence, bounding_box: None, at: at(ms) }
    }

    #[test]
    fn changes_within_a_second_are_reported_together() {
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(1, at(400));
        history.enter("gate");
        assert_eq!(history.change(0.1, at(600)), None, "an event was reported 0.2 s ago");
        history.see(seen(0.9, 800));
        history.enter("yard");
        let changed = history.change(0.1, at(1400)).unwrap();
        assert_eq!((changed.regions, changed.confidence), (vec!["gate".to_owned(), "yard".to_owned()], 0.9));
        assert!(!changed.is_new_best, "the frame of this event is not the best one");
        assert_eq!(history.change(0.1, at(9000)), None, "everything is reported");
    }

    #[test]
    fn a_small_growth_of_confidence_is_not_a_change() {
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(1, at(0));
        history.see(seen(0.59, 2000));
        assert_eq!(history.change(0.1, at(2000)), None);
        history.see(seen(0.61, 2200));
        assert!(history.change(0.1, at(2200)).unwrap().is_new_best);
    }

    #[test]
    fn an_object_that_never_began_does_not_end_and_ended_at_is_the_last_sighting() {
        assert_eq!(History::new("person", seen(0.5, 0)).end(at(5)), None);
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(7, at(200));
        history.see(seen(0.6, 400));
        let ended = history.end(at(3000)).unwrap();
        assert_eq!((ended.kind, ended.track, ended.began_at), (EventKind::Ended, 7, at(0)));
        assert_eq!((ended.ended_at, ended.at), (Some(at(400)), at(3000)));
    }
}
