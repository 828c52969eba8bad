//! Image labels: a classifier's labels of the whole picture begin and end like objects.
//!
//! Hysteresis keeps a label near its threshold from flapping. It begins by frames above the threshold, and lasts while its
//! confidence is at most `hysteresis` below the threshold.

use crate::tracking::detections::{LabelDetection, MAX_OBJECTS};
use crate::tracking::event::TrackEvent;
use crate::tracking::history::{History, Sighting};
use crate::tracking::rules::{Strength, TrackingRules};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// The labels that have begun or are on trial.
#[derive(Clone, Debug, Default)]
pub(super) struct LabelLives {
    lives: BTreeMap<String, History>,
}

impl LabelLives {
    /// Records the labels of a frame and returns the events. Labels that begin take their numbers from `next_track`.
    pub(super) fn observe(
        &mut self,
        detections: &BTreeMap<&str, LabelDetection>,
        rules: &TrackingRules,
        at: Monotonic,
        was_still: bool,
        next_track: &mut u64,
    ) -> Vec<TrackEvent> {
        for (label, life) in &mut self.lives {
            let counts = |detection: &&LabelDetection| detection.strength == Strength::Strong || life.track().is_some();
            match detections.get(label.as_str()).filter(counts) {
                Some(detection) => life.see(sighting(detection, at)),
                None => life.miss(was_still),
            }
        }
        self.lives.retain(|_, life| !life.is_doubtful());
        for (label, detection) in detections {
            let has_room = self.lives.len() < MAX_OBJECTS && !self.lives.contains_key(*label);
            if has_room && detection.strength == Strength::Strong {
                self.lives.insert((*label).to_owned(), History::new(label, sighting(detection, at)));
            }
        }
        let mut events = Vec::new();
        for life in self.lives.values_mut() {
            if life.is_due(rules) {
                events.push(life.begin(*next_track, at));
                *next_track += 1;
            }
            events.extend(life.change(rules.best_step, at));
        }
        events
    }

    /// Ends what looks at a still scene show no longer.
    pub(super) fn end_unseen(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        let is_unseen = |_: &String, life: &mut History| life.is_unseen();
        self.lives.extract_if(.., is_unseen).filter_map(|(_, life)| life.end(now)).collect()
    }

    /// Nothing has changed up to `at`: the labels that have begun still hold.
    pub(super) fn still(&mut self, at: Monotonic) {
        self.lives.values_mut().filter(|life| life.track().is_some()).for_each(|life| life.still(at));
    }

    /// Ends labels that were last seen longer than `lost_after` before `now`.
    pub(super) fn end_lost(&mut self, lost_after: Duration, now: Monotonic) -> Vec<TrackEvent> {
        let is_lost = |_: &String, life: &mut History| now.since(life.last_seen()) > lost_after;
        self.lives.extract_if(.., is_lost).filter_map(|(_, life)| life.end(now)).collect()
    }

    /// Ends all labels.
    pub(super) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        std::mem::take(&mut self.lives).into_values().filter_map(|life| life.end(now)).collect()
    }

    /// The labels that have begun.
    pub(super) fn present(&self) -> impl Iterator<Item = &str> {
        self.lives.values().filter(|life| life.track().is_some()).map(History::label)
    }

    /// Returns changes that had to wait because of the last event.
    pub(super) fn changes(&mut self, rules: &TrackingRules, now: Monotonic) -> Vec<TrackEvent> {
        self.lives.values_mut().filter_map(|life| life.change(rules.best_step, now)).collect()
    }

    /// True if the label has begun.
    pub(super) fn is_present(&self, label: &str) -> bool {
        self.lives.get(label).is_some_and(|life| life.track().is_some())
    }
}

fn sighting(detection: &LabelDetection, at: Monotonic) -> Sighting {
    Sighting { confidence: detection.confidence, bounding_box: None, at }
}
