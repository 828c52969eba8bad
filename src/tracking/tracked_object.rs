//! One object over frames: where it is thought to be, what it is taken for, what was told of it.

use crate::tracking::found::FoundObject;
use crate::tracking::history::{History, Sighting};
use crate::tracking::kalman::BoxFilter;
use crate::tracking::rules::TrackingRules;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;

/// What a vote still counts when the next one is cast: after some ten sightings half of what is known is new.
const VOTE_DECAY: f32 = 0.93;

/// A label must have this much more of the votes than the present one to take its place.
const CLEAR_MAJORITY: f32 = 1.5;

#[derive(Clone, Debug)]
pub(super) struct TrackedObject {
    pub(super) history: History,
    group: String,
    filter: BoxFilter,
    filtered_at: Monotonic,
    /// Confidences of the sightings as each label, later ones counting more.
    votes: BTreeMap<String, f32>,
}

/// Where an object is expected in the frame that is being looked at.
#[derive(Clone, Debug)]
pub(super) struct Expected<'a> {
    pub(super) group: &'a str,
    /// Cut off at the picture's edges, as detections are, unless it is beyond them.
    pub(super) bounding_box: NormalizedBox,
    /// One standard deviation of its centre, across and down, in ratios.
    pub(super) deviation: (f32, f32),
}

impl TrackedObject {
    pub(super) fn new(found: &FoundObject<'_>, rules: &TrackingRules, at: Monotonic) -> Self {
        let mut object = Self {
            history: History::new(found.label, sighting(found, at)),
            group: found.group.to_owned(),
            filter: BoxFilter::new(&found.bounding_box),
            filtered_at: at,
            votes: BTreeMap::from([(found.label.to_owned(), found.confidence)]),
        };
        object.enter_regions(&found.bounding_box, rules);
        object
    }

    /// Goes on to where it is thought to be at `at`.
    pub(super) fn predict(&mut self, at: Monotonic) {
        self.filter.predict(at.since(self.filtered_at).as_secs_f64());
        self.filtered_at = at;
    }

    /// Where it is expected, by the last prediction.
    pub(super) fn expected(&self) -> Expected<'_> {
        let estimate = self.filter.estimate();
        let cut = NormalizedBox::from_corners(estimate.left, estimate.top, estimate.right(), estimate.bottom());
        Expected { group: &self.group, bounding_box: cut.unwrap_or(estimate), deviation: self.filter.deviation() }
    }

    /// It was seen here, in a frame that [`TrackedObject::predict`] was told of.
    pub(super) fn see(&mut self, found: &FoundObject<'_>, rules: &TrackingRules, at: Monotonic) {
        self.filter.update(&found.bounding_box);
        self.history.see(sighting(found, at));
        self.enter_regions(&found.bounding_box, rules);
        self.vote(found.label, found.confidence);
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
        let present = self.votes.get(self.history.label()).copied().unwrap_or_default();
        let Some((leader, votes)) = self.votes.iter().max_by(|a, b| a.1.total_cmp(b.1)) else { return };
        // While nothing is told yet, what leads is what it is.
        let needed = if self.history.track().is_some() { CLEAR_MAJORITY * present } else { present };
        if *votes > needed {
            self.history.rename(leader);
        }
    }
}

fn sighting(found: &FoundObject<'_>, at: Monotonic) -> Sighting {
    Sighting { confidence: found.confidence, bounding_box: Some(found.bounding_box), at }
}
