//! What was published of a camera when it changed, for a new connection to a broker, which has to be told it anew.

use crate::publish::jpeg_comment::with_comment;
use crate::publish::label_counts::LabelCount;
use crate::publish::publisher::Publisher;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was published of one camera.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The labels that it may report, and whether its scene lists them; `None` before the first time.
    labels: Option<(Vec<String>, bool)>,
    /// The newest count of each label, by its level in topics.
    counts: BTreeMap<String, LabelCount>,
    snapshot: Option<Arc<[u8]>>,
}

impl Told {
    /// The labels that it may report, and whether its scene lists them. Counts follow.
    pub(super) fn labels(&mut self, labels: Vec<String>, are_listed: bool) {
        self.counts.clear();
        self.labels = Some((labels, are_listed));
    }

    /// Counts that have changed.
    pub(super) fn counts(&mut self, counts: &[LabelCount]) {
        self.counts.extend(counts.iter().map(|count| (count.level.clone(), count.clone())));
    }

    /// A picture.
    pub(super) fn snapshot(&mut self, jpeg: Arc<[u8]>) {
        self.snapshot = Some(jpeg);
    }

    /// The picture is not to be shown any more. Another broker may hold an older one.
    pub(super) fn forget_snapshot(&mut self) {
        self.snapshot = Some(Arc::from([]));
    }

    /// Publishes all of it. `claim`: what the picture says of the claim under which it is published.
    pub(super) fn tell(&self, camera: &CameraId, publisher: &mut Publisher, claim: Option<String>) {
        let counts: Vec<LabelCount> = self.counts.values().cloned().collect();
        if let Some((labels, are_listed)) = &self.labels {
            publisher.set_labels(camera, labels, *are_listed);
            publisher.set_label_counts(camera, &counts);
        }
        if let Some(jpeg) = &self.snapshot {
            publish_picture(publisher, camera, jpeg, claim);
        }
    }
}

/// Publishes a picture, in a cluster with the claim in its comment. An empty one clears the topic.
pub(super) fn publish_picture(publisher: &Publisher, camera: &CameraId, jpeg: &[u8], claim: Option<String>) {
    match claim {
        Some(claim) => publisher.publish_snapshot(camera, &with_comment(jpeg, &claim)),
        None => publisher.publish_snapshot(camera, jpeg),
    }
}
