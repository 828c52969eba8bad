//! What a new connection to a broker has to be told: what was published of each camera, and is published only when it
//! changes.

use super::Reporter;
use crate::appliance::state_reports::StateReports;
use crate::publish::label_counts::LabelCount;
use crate::publish::publisher::Publisher;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was published of one camera.
#[derive(Debug, Default)]
pub(super) struct Told {
    labels: Vec<String>,
    are_listed: bool,
    /// The newest count of each label, by its level in topics.
    counts: BTreeMap<String, LabelCount>,
    snapshot: Option<Arc<[u8]>>,
}

impl Reporter {
    /// Publishes the labels that a camera may report. Their counts follow.
    pub(super) fn labels(&mut self, camera: &CameraId, labels: Vec<String>, are_listed: bool) {
        let Some(publisher) = &mut self.publisher else { return };
        publisher.set_labels(camera, &labels, are_listed);
        let told = self.told.entry(camera.clone()).or_default();
        told.counts.clear();
        (told.labels, told.are_listed) = (labels, are_listed);
    }

    /// Publishes counts of labels that have changed.
    pub(super) fn label_counts(&mut self, camera: &CameraId, counts: &[LabelCount]) {
        let Some(publisher) = &mut self.publisher else { return };
        publisher.set_label_counts(camera, counts);
        let told = self.told.entry(camera.clone()).or_default();
        told.counts.extend(counts.iter().map(|count| (count.level.clone(), count.clone())));
    }

    /// Publishes a picture of a camera.
    pub(super) fn snapshot(&mut self, camera: &CameraId, jpeg: Arc<[u8]>) {
        let Some(publisher) = &self.publisher else { return };
        publisher.publish_snapshot(camera, &jpeg);
        self.told.entry(camera.clone()).or_default().snapshot = Some(jpeg);
    }

    /// Goes on with another connection to a broker, which is told everything anew. Without one nothing changes.
    pub(in crate::appliance) fn replace_publisher(&mut self, next: Publisher) {
        let Some(publisher) = &mut self.publisher else { return };
        publisher.replace_with(next);
        self.state_reports = StateReports::default();
        for (camera, told) in &self.told {
            let counts: Vec<LabelCount> = told.counts.values().cloned().collect();
            publisher.set_labels(camera, &told.labels, told.are_listed);
            publisher.set_label_counts(camera, &counts);
            if let Some(jpeg) = &told.snapshot {
                publisher.publish_snapshot(camera, jpeg);
            }
        }
    }
}
