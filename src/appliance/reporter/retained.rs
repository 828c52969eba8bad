//! What is retained on the broker of each camera, and is published only when it changes.

use super::Reporter;
use super::cluster_marks::Voice;
use super::told::publish_picture;
use crate::appliance::state_reports::StateReports;
use crate::publish::cluster_link::ClusterCameras;
use crate::publish::label_counts::LabelCount;
use crate::publish::publisher::Publisher;
use crate::vision::camera_id::CameraId;
use crate::vision::picture_source::PictureSource;
use std::sync::Arc;

impl Reporter {
    /// Publishes the labels that a camera may report. Their counts follow.
    pub(super) fn labels(&mut self, camera: CameraId, labels: Vec<String>, are_listed: bool) {
        let publishes = self.publishes(&camera);
        let Some(publisher) = &mut self.publisher else { return };
        if publishes {
            publisher.set_labels(&camera, &labels, are_listed);
        }
        self.told.entry(camera).or_default().labels(labels, are_listed);
    }

    /// Publishes counts of labels that have changed.
    pub(super) fn label_counts(&mut self, camera: CameraId, counts: &[LabelCount]) {
        let publishes = self.publishes(&camera);
        let Some(publisher) = &mut self.publisher else { return };
        if publishes {
            publisher.set_label_counts(&camera, counts);
        }
        self.told.entry(camera).or_default().counts(counts);
    }

    /// Publishes a picture of a camera.
    pub(super) fn snapshot(&mut self, camera: CameraId, jpeg: Arc<[u8]>) {
        let Some(publisher) = &self.publisher else { return };
        if self.publishes(&camera) {
            publish_picture(publisher, &camera, &jpeg, self.marks.comment(&camera));
        }
        self.told.entry(camera).or_default().snapshot(jpeg);
    }

    /// Clears the picture of a camera on the broker.
    pub(in crate::appliance) fn forget_snapshot(&mut self, camera: &CameraId) {
        let Some(publisher) = &self.publisher else { return };
        if self.publishes(camera) {
            publisher.clear_snapshot(camera);
        }
        self.told.entry(camera.clone()).or_default().forget_snapshot();
    }

    /// Counts a picture of a camera with two streams by the one that it shows.
    pub(super) fn snapshot_source(&self, camera: &CameraId, source: Option<PictureSource>) {
        let Some(stream) = source.as_ref().and_then(PictureSource::stream) else { return };
        if self.gone_cameras.contains(camera) {
            return;
        }
        self.metrics.main_streams().snapshot(camera, stream);
        if let Some(PictureSource::FrameInstead { why }) = source {
            tracing::info!(%camera, why, "a snapshot shows the analysed stream instead of the main one");
        }
    }

    /// Goes on with another connection to a broker, which is told everything anew. Without one nothing changes.
    pub(in crate::appliance) fn replace_publisher(&mut self, next: Publisher, cluster: ClusterCameras) {
        let Some(publisher) = &mut self.publisher else { return };
        publisher.replace_with(next);
        publisher.set_cluster_cameras(cluster);
        self.state_reports = StateReports::default();
        let marks = &self.marks;
        let published = self.told.iter().filter(|(camera, _)| marks.voice(camera) != Voice::Silent);
        published.for_each(|(camera, told)| told.tell(camera, publisher, marks.comment(camera)));
        self.tell_owners();
    }
}
