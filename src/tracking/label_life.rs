//! Image labels: what a classifier says of the whole picture gets the same life as an object.
//!
//! With hysteresis, so that a label near its threshold does not come and go: it begins by frames above its threshold,
//! and stays while it is not below that by more than `hysteresis`.

use crate::tracking::event::TrackEvent;
use crate::tracking::found::{FoundLabel, MAX_OBJECTS};
use crate::tracking::history::{History, Sighting};
use crate::tracking::rules::{Strength, TrackingRules};
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// The labels that are there or on trial.
#[derive(Clone, Debug, Default)]
pub(super) struct LabelLives {
    lives: BTreeMap<String, History>,
}

impl LabelLives {
    /// Takes in what a frame showed. Labels that begin get their numbers from `next_track`.
    pub(super) fn observe(
        &mut self,
        found: &BTreeMap<&str, FoundLabel>,
        rules: &TrackingRules,
        at: Monotonic,
        next_track: &mut u64,
    ) -> Vec<TrackEvent> {
        for (label, life) in &mut self.lives {
            let counts = |found: &&FoundLabel| found.strength == Strength::Strong || life.track().is_some();
            match found.get(label.as_str()).filter(counts) {
                Some(found) => life.see(sighting(found, at)),
                None => life.miss(),
            }
        }
        self.lives.retain(|_, life| !life.is_doubtful());
        for (label, found) in found {
            let has_place = self.lives.len() < MAX_OBJECTS && !self.lives.contains_key(*label);
            if has_place && found.strength == Strength::Strong {
                self.lives.insert((*label).to_owned(), History::new(label, sighting(found, at)));
            }
        }
        let mut events = Vec::new();
        for life in self.lives.values_mut() {
            if life.is_due(rules.min_hits) {
                events.push(life.begin(*next_track, at));
                *next_track += 1;
            }
            events.extend(life.change(rules.best_step, at));
        }
        events
    }

    /// Ends what was last seen longer than `lost_after` before `now`.
    pub(super) fn end_lost(&mut self, lost_after: Duration, now: Monotonic) -> Vec<TrackEvent> {
        let is_lost = |_: &String, life: &mut History| now.since(life.last_seen()) > lost_after;
        self.lives.extract_if(.., is_lost).filter_map(|(_, life)| life.end(now)).collect()
    }

    /// Ends all.
    pub(super) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        std::mem::take(&mut self.lives).into_values().filter_map(|life| life.end(now)).collect()
    }

    /// The labels that are there.
    pub(super) fn present(&self) -> impl Iterator<Item = &str> {
        self.lives.values().filter(|life| life.track().is_some()).map(History::label)
    }

    /// Changes that had to wait for their time.
    pub(super) fn changes(&mut self, rules: &TrackingRules, now: Monotonic) -> Vec<TrackEvent> {
        self.lives.values_mut().filter_map(|life| life.change(rules.best_step, now)).collect()
    }

    /// True if the label is there.
    pub(super) fn is_present(&self, label: &str) -> bool {
        self.lives.get(label).is_some_and(|life| life.track().is_some())
    }
}

fn sighting(found: &FoundLabel, at: Monotonic) -> Sighting {
    Sighting { confidence: found.confidence, bounding_box: None, at }
}
