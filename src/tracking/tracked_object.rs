//! One object over frames: its estimated box, its label, and its history.

use crate::tracking::detections::ObjectDetection;
use crate::tracking::history::{History, Sighting};
use crate::tracking::kalman::BoxFilter;
use crate::tracking::rules::{Strength, TrackingRules};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// The weight of a vote decays by this factor at each sighting: after ten sightings half of the total is new.
const VOTE_DECAY: f32 = 0.93;

/// A label must have this many times the votes of the current label to replace it.
const CLEAR_MAJORITY: f32 = 1.5;

/// A box that shares less than this with an earlier one (intersection over union) has moved. Detectors shake theirs by a tenth.
const SAME_PLACE: f32 = 0.7;

/// A sighting's weight in the usual confidence of its object: after three sightings half of it is new.
const CONFIDENCE_WEIGHT: f32 = 0.2;

/// An object that has not moved for so long stands.
const STANDS_AFTER: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(super) struct TrackedObject {
    pub(super) history: History,
    group: String,
    filter: BoxFilter,
    filtered_at: Monotonic,
    /// The sum of confidences for each label; later sightings weigh more.
    votes: BTreeMap<String, f32>,
    /// Where it was when it moved last, and when that was.
    moved: (NormalizedBox, Monotonic),
    /// False until it has moved for the first time.
    has_moved: bool,
    /// When it was last seen by a detection that is not faint.
    clear_at: Monotonic,
    /// The mean of its confidences, of which later ones weigh more.
    usual_confidence: f32,
}

/// Where an object is expected in the current frame.
#[derive(Clone, Debug)]
pub(super) struct Expected<'a> {
    pub(super) group: &'a str,
    /// Clipped to the picture, as detections are, unless it lies outside completely.
    pub(super) bounding_box: NormalizedBox,
    /// One standard deviation of its centre, horizontally and vertically, in ratios.
    pub(super) deviation: (f32, f32),
}

impl TrackedObject {
    pub(super) fn new(detection: &ObjectDetection<'_>, rules: &TrackingRules, at: Monotonic) -> Self {
        let mut object = Self {
            history: History::new(detection.label, sighting(detection, at)),
            group: detection.group.to_owned(),
            filter: BoxFilter::new(&detection.bounding_box),
            filtered_at: at,
            votes: BTreeMap::from([(detection.label.to_owned(), detection.confidence)]),
            moved: (detection.bounding_box, at),
            has_moved: false,
            clear_at: at,
            usual_confidence: detection.confidence,
        };
        object.enter_regions(&detection.bounding_box, rules);
        object
    }

    /// Predicts its box at `at`.
    pub(super) fn predict(&mut self, at: Monotonic) {
        self.filter.predict(at.since(self.filtered_at).as_secs_f64());
        self.filtered_at = at;
    }

    /// Its expected box, by the last prediction.
    pub(super) fn expected(&self) -> Expected<'_> {
        let estimate = self.filter.estimate();
        let cut = NormalizedBox::from_corners(estimate.left, estimate.top, estimate.right(), estimate.bottom());
        Expected { group: &self.group, bounding_box: cut.unwrap_or(estimate), deviation: self.filter.deviation() }
    }

    /// True if a faint detection can be this object. What looks like a person and never moves, such as a traffic cone, would
    /// be followed by faint detections for ever.
    pub(super) fn bears(&self, faint: &ObjectDetection<'_>, rules: &TrackingRules) -> bool {
        self.has_moved && rules.bears(faint.label, self.usual_confidence, faint.confidence)
    }

    /// When it was last seen by a detection that is not faint.
    pub(super) fn clear_at(&self) -> Monotonic {
        self.clear_at
    }

    /// Records a sighting in the frame of the last [`TrackedObject::predict`].
    pub(super) fn see(&mut self, detection: &ObjectDetection<'_>, rules: &TrackingRules, at: Monotonic) {
        self.filter.update(&detection.bounding_box);
        let estimate = self.filter.estimate();
        if estimate.iou(&self.moved.0) < SAME_PLACE {
            self.moved = (estimate, at);
            self.has_moved = true;
        }
        if detection.strength != Strength::Faint {
            self.clear_at = at;
        }
        self.usual_confidence += CONFIDENCE_WEIGHT * (detection.confidence - self.usual_confidence);
        self.history.see(sighting(detection, at));
        self.enter_regions(&detection.bounding_box, rules);
        self.vote(detection.label, detection.confidence);
    }

    /// It stands where it stood up to `at`, and may go in any direction from there.
    pub(super) fn still(&mut self, at: Monotonic) {
        self.filter = BoxFilter::new(&self.filter.estimate());
        self.filtered_at = at;
        self.history.still(at);
    }

    /// True if it is seen at `at` and has moved within the last seconds.
    pub(super) fn moves(&self, at: Monotonic) -> bool {
        self.history.last_seen() == at && at.since(self.moved.1) < STANDS_AFTER
    }

    fn enter_regions(&mut self, bounding_box: &NormalizedBox, rules: &TrackingRules) {
        for region in rules.regions_at(bounding_box) {
            self.history.enter(region);
        }
    }

    fn vote(&mut self, label: &str, confidence: f32) {
        for votes in self.votes.values_mut() {
            *votes *= VOTE_DECAY;
        }
        *self.votes.entry(label.to_owned()).or_default() += confidence;
        let current = self.votes.get(self.history.label()).copied().unwrap_or_default();
        let Some((leader, votes)) = self.votes.iter().max_by(|a, b| a.1.total_cmp(b.1)) else { return };
        // Before anything was reported, the leading label simply wins.
        let needed = if self.history.track().is_some() { CLEAR_MAJORITY * current } else { current };
        if *votes > needed {
            self.history.rename(leader);
        }
    }
}

fn sighting(detection: &ObjectDetection<'_>, at: Monotonic) -> Sighting {
    Sighting { confidence: detection.confidence, bounding_box: Some(detection.bounding_box), at }
}
