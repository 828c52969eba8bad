//! How many objects of each label are in view of one camera, for the retained topics `labels/<label>`.
//!
//! Counts are kept by topic level ([`label_level`]). Only changed counts are returned, so an unchanged topic is not
//! published again. This module does not build topics or decide when an object counts as in view.

use crate::publish::label_level::label_level;
use std::collections::BTreeMap;

/// The new count of a topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelCount {
    /// The last level of the topic: the label as [`label_level`] writes it.
    pub level: String,
    /// Objects in view.
    pub count: u32,
}

impl LabelCount {
    /// A plain number, for subscribers that do not parse JSON.
    pub fn to_payload(&self) -> Vec<u8> {
        self.count.to_string().into_bytes()
    }
}

/// The published counts of one camera. A level that once had a count keeps its topic, at 0.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LabelCounts {
    by_level: BTreeMap<String, u32>,
}

impl LabelCounts {
    /// Starts these labels at 0. Publish [`Self::current`] then: subscribers get a value before the first object is
    /// seen, and counts that an earlier run left on the broker are overwritten. So pass every label that an earlier run
    /// may have counted: all labels of the camera's model.
    pub fn starting_at_zero<'a>(labels: impl IntoIterator<Item = &'a str>) -> Self {
        Self { by_level: labels.into_iter().map(|label| (label_level(label), 0)).collect() }
    }

    /// Sets the counts from one label for each object in view, and returns the counts that changed. A label that is no
    /// longer in view goes to 0.
    pub fn set_in_view<'a>(&mut self, labels: impl IntoIterator<Item = &'a str>) -> Vec<LabelCount> {
        let mut newest: BTreeMap<String, u32> = self.by_level.keys().map(|level| (level.clone(), 0)).collect();
        for label in labels {
            *newest.entry(label_level(label)).or_default() += 1;
        }
        let changed = newest.iter().filter(|(level, count)| self.by_level.get(*level) != Some(*count));
        let changed = changed.map(|(level, &count)| LabelCount { level: level.clone(), count }).collect();
        self.by_level = newest;
        changed
    }

    /// Sets all counts to 0, because the camera is lost. Its state distinguishes this from an empty scene.
    pub fn lose_camera(&mut self) -> Vec<LabelCount> {
        self.set_in_view([])
    }

    /// All counts, to publish every topic of the camera.
    pub fn current(&self) -> impl Iterator<Item = LabelCount> + '_ {
        self.by_level.iter().map(|(level, &count)| LabelCount { level: level.clone(), count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(changed: &[LabelCount], expected: &[(&str, u32)]) {
        let changed: Vec<_> = changed.iter().map(|change| (change.level.as_str(), change.count)).collect();
        assert_eq!(changed, expected);
    }

    #[test]
    fn labels_of_interest_start_at_zero() {
        let counts = LabelCounts::starting_at_zero(["person", "traffic light"]);
        check(&counts.current().collect::<Vec<_>>(), &[("person", 0), ("traffic_light", 0)]);
    }

    #[test]
    fn only_what_changed_is_said_again() {
        let mut counts = LabelCounts::starting_at_zero(["car", "person"]);
        check(&counts.set_in_view([]), &[]);
        check(&counts.set_in_view(["person", "person"]), &[("person", 2)]);
        check(&counts.set_in_view(["person", "person"]), &[]);
        check(&counts.set_in_view(["person", "car"]), &[("car", 1), ("person", 1)]);
    }

    #[test]
    fn a_label_that_left_goes_to_zero_once_and_keeps_its_topic() {
        let mut counts = LabelCounts::default();
        check(&counts.set_in_view(["dog"]), &[("dog", 1)]);
        check(&counts.set_in_view(["cat"]), &[("cat", 1), ("dog", 0)]);
        check(&counts.set_in_view(["cat"]), &[]);
        check(&counts.current().collect::<Vec<_>>(), &[("cat", 1), ("dog", 0)]);
    }

    #[test]
    fn a_lost_camera_sees_nothing() {
        let mut counts = LabelCounts::starting_at_zero(["person"]);
        counts.set_in_view(["person", "dog", "dog"]);
        check(&counts.lose_camera(), &[("dog", 0), ("person", 0)]);
        check(&counts.lose_camera(), &[]);
        check(&counts.set_in_view(["dog"]), &[("dog", 1)]);
    }

    #[test]
    fn labels_that_share_a_topic_are_added_up() {
        let mut counts = LabelCounts::default();
        check(&counts.set_in_view(["traffic light", "Traffic_Light"]), &[("traffic_light", 2)]);
    }

    #[test]
    fn a_count_is_a_plain_number() {
        assert_eq!(LabelCount { level: "person".into(), count: 12 }.to_payload(), b"12");
    }
}
