//! Which label counts of each camera are retained on the broker.
//!
//! By `mqtt.label_counts` a camera has a topic for each label of its model, or only for those that matter. A count of a
//! label that the camera's model does not have, such as one of the model before a swap, has none.

use crate::publish::label_counts::LabelCount;
use crate::publish::label_level::label_level;
use crate::publish::sinks::mqtt::settings::PublishLabelCounts;
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, BTreeSet};

/// The labels of one camera, as levels of topics.
#[derive(Debug, Default)]
struct CameraLabels {
    /// All labels that it may report.
    known: BTreeSet<String>,
    /// Those that have a topic before they are seen.
    wanted: BTreeSet<String>,
}

/// The labels of all cameras whose model has looked at them.
#[derive(Debug)]
pub(super) struct LabelTopics {
    which: PublishLabelCounts,
    by_camera: BTreeMap<CameraId, CameraLabels>,
}

impl LabelTopics {
    pub(super) fn new(which: PublishLabelCounts) -> Self {
        Self { which, by_camera: BTreeMap::new() }
    }

    /// Sets the labels that a camera may report. `are_listed` is true if its scene lists them; `shown` are labels that
    /// must have a topic all the same.
    pub(super) fn set(&mut self, camera: &CameraId, labels: &[String], are_listed: bool, shown: &[String]) {
        let levels = |labels: &[String]| labels.iter().map(|label| label_level(label)).collect();
        let known: BTreeSet<String> = levels(labels);
        let wanted = match self.which {
            PublishLabelCounts::Seen if !are_listed => levels(shown),
            PublishLabelCounts::Seen | PublishLabelCounts::All => known.clone(),
        };
        self.by_camera.insert(camera.clone(), CameraLabels { known, wanted });
    }

    /// True if the level is one of the camera's labels.
    pub(super) fn is_known(&self, camera: &CameraId, level: &str) -> bool {
        self.by_camera.get(camera).is_some_and(|labels| labels.known.contains(level))
    }

    /// True if this count is published. One that has a topic keeps it.
    pub(super) fn is_published(&self, camera: &CameraId, count: &LabelCount, has_topic: bool) -> bool {
        let Some(labels) = self.by_camera.get(camera) else { return false };
        let is_due = || count.count > 0 || has_topic || labels.wanted.contains(&count.level);
        labels.known.contains(&count.level) && is_due()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yard() -> CameraId {
        CameraId::new("yard").unwrap()
    }

    fn count(level: &str, count: u32) -> LabelCount {
        LabelCount { level: level.into(), count }
    }

    fn labels(which: PublishLabelCounts, are_listed: bool) -> LabelTopics {
        let mut topics = LabelTopics::new(which);
        let all = ["person", "traffic light", "zebra"].map(str::to_owned);
        topics.set(&yard(), &all, are_listed, &["person".into()]);
        topics
    }

    #[test]
    fn each_label_of_the_model_has_a_count_from_the_beginning() {
        let topics = labels(PublishLabelCounts::All, false);
        assert!(topics.is_published(&yard(), &count("traffic_light", 0), false));
    }

    #[test]
    fn a_label_that_was_never_seen_and_that_nobody_lists_has_none() {
        let topics = labels(PublishLabelCounts::Seen, false);
        assert!(!topics.is_published(&yard(), &count("zebra", 0), false));
        assert!(topics.is_published(&yard(), &count("zebra", 1), false));
        assert!(topics.is_published(&yard(), &count("zebra", 0), true), "it was seen, and is gone");
        assert!(topics.is_published(&yard(), &count("person", 0), false), "Home Assistant shows it");
        let listed = labels(PublishLabelCounts::Seen, true);
        assert!(listed.is_published(&yard(), &count("zebra", 0), false), "the scene lists it");
    }

    #[test]
    fn a_label_of_another_model_has_none_even_while_it_is_in_view() {
        let topics = labels(PublishLabelCounts::All, false);
        assert!(!topics.is_published(&yard(), &count("lorry", 1), true));
        assert!(!topics.is_known(&yard(), "lorry") && topics.is_known(&yard(), "zebra"));
    }
}
