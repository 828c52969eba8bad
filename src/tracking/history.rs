//! What has been seen of one object or image label, and what of that has been told.

use crate::tracking::event::{EventKind, TrackEvent};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The least time between an event of a track and the next `Changed` of it: who walks towards the camera gets a better
/// picture in every frame, and every event is written to disk.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// One time that something was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sighting {
    /// 0..=1.
    pub(super) confidence: f32,
    /// None for an image label.
    pub(super) bounding_box: Option<NormalizedBox>,
    /// The frame's capture time.
    pub(super) at: Monotonic,
}

/// A track's number and what was told of it last.
#[derive(Clone, Copy, Debug)]
struct Told {
    track: u64,
    at: Monotonic,
    confidence: f32,
}

/// From the first sighting on.
#[derive(Clone, Debug)]
pub(super) struct History {
    label: String,
    first_seen: Monotonic,
    last: Sighting,
    best: Sighting,
    hits: u32,
    /// Frames that did not show it, before it began.
    misses: u32,
    regions: Vec<String>,
    /// None until it has begun.
    told: Option<Told>,
    /// A region or label that no event has told yet.
    has_news: bool,
}

impl History {
    pub(super) fn new(label: &str, first: Sighting) -> Self {
        Self {
            label: label.to_owned(),
            first_seen: first.at,
            last: first,
            best: first,
            hits: 1,
            misses: 0,
            regions: Vec::new(),
            told: None,
            has_news: false,
        }
    }

    /// Takes in a further sighting, not older than the last.
    pub(super) fn see(&mut self, sighting: Sighting) {
        self.last = sighting;
        self.hits = self.hits.saturating_add(1);
        if sighting.confidence > self.best.confidence {
            self.best = sighting;
        }
    }

    /// A frame did not show it.
    pub(super) fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// True if it may begin: seen `min_hits` times, and not begun yet.
    pub(super) fn is_due(&self, min_hits: u32) -> bool {
        self.told.is_none() && self.hits >= min_hits
    }

    /// True if it has not begun and was missed more often than seen: a detector that errs does so here and there.
    /// Whatever the rate of frames, one missed frame among several is no reason to start again.
    pub(super) fn is_doubtful(&self) -> bool {
        self.told.is_none() && self.misses > self.hits
    }

    /// Notes that it stands in a region; only the first time is news.
    pub(super) fn enter(&mut self, region: &str) {
        if !self.regions.iter().any(|entered| entered == region) {
            self.regions.push(region.to_owned());
            self.has_news = true;
        }
    }

    /// Calls it something else from now on.
    pub(super) fn rename(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            self.has_news = true;
        }
    }

    /// What it is called.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// When it was last seen.
    pub(super) fn last_seen(&self) -> Monotonic {
        self.last.at
    }

    /// Its number; none until it has begun.
    pub(super) fn track(&self) -> Option<u64> {
        self.told.map(|told| told.track)
    }

    /// It begins, as number `track`.
    pub(super) fn begin(&mut self, track: u64, at: Monotonic) -> TrackEvent {
        // The frame that lets it begin is the first that a picture can be had of, whichever was the best before it.
        self.tell(EventKind::Began, track, at, true)
    }

    /// The change there is to tell at `at`, if there is one and the last event was long enough ago.
    pub(super) fn change(&mut self, best_step: f32, at: Monotonic) -> Option<TrackEvent> {
        let told = self.told?;
        let is_better = self.best.confidence >= told.confidence + best_step;
        if !(self.has_news || is_better) || at.since(told.at) < QUIET_TIME {
            return None;
        }
        Some(self.tell(EventKind::Changed, told.track, at, self.best.at == at))
    }

    /// It ends; nothing is told of what never began.
    pub(super) fn end(mut self, at: Monotonic) -> Option<TrackEvent> {
        let told = self.told?;
        Some(self.tell(EventKind::Ended, told.track, at, false))
    }

    fn tell(&mut self, kind: EventKind, track: u64, at: Monotonic, is_new_best: bool) -> TrackEvent {
        // A tick is given the time, a frame its capture, which is earlier: events of a track do not go back for that.
        let at = self.told.map_or(at, |told| told.at.max(at)).max(self.last.at);
        self.told = Some(Told { track, at, confidence: self.best.confidence });
        self.has_news = false;
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
    fn changes_of_a_second_are_told_together() {
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(1, at(400));
        history.enter("gate");
        assert_eq!(history.change(0.1, at(600)), None, "an event was told 0.2 s ago");
        history.see(seen(0.9, 800));
        history.enter("yard");
        let changed = history.change(0.1, at(1400)).unwrap();
        assert_eq!((changed.regions, changed.confidence), (vec!["gate".to_owned(), "yard".to_owned()], 0.9));
        assert!(!changed.is_new_best, "the frame of this event is not the best one");
        assert_eq!(history.change(0.1, at(9000)), None, "all is told");
    }

    #[test]
    fn a_confidence_that_grows_too_little_is_no_change() {
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(1, at(0));
        history.see(seen(0.59, 2000));
        assert_eq!(history.change(0.1, at(2000)), None);
        history.see(seen(0.61, 2200));
        assert!(history.change(0.1, at(2200)).unwrap().is_new_best);
    }

    #[test]
    fn what_never_began_does_not_end_and_what_ended_was_last_seen_before() {
        assert_eq!(History::new("person", seen(0.5, 0)).end(at(5)), None);
        let mut history = History::new("person", seen(0.5, 0));
        history.begin(7, at(200));
        history.see(seen(0.6, 400));
        let ended = history.end(at(3000)).unwrap();
        assert_eq!((ended.kind, ended.track, ended.began_at), (EventKind::Ended, 7, at(0)));
        assert_eq!((ended.ended_at, ended.at), (Some(at(400)), at(3000)));
    }
}
