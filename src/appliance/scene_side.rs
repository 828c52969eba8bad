//! The loop's part that tells what happens in front of the cameras: events, counts, pictures of the best frames.

use crate::admission::FrameWork;
use crate::appliance::event_loop::Appliance;
use crate::appliance::scenes::SceneNews;
use crate::camera::camera_state::Camera;
use crate::camera::capture_group::CaptureGroup;
use crate::model::package::Package;
use crate::supervisor::Answer;
use crate::tracking::Observed;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;

impl Appliance {
    /// A frame was looked at. Must come before its slot is given back: a picture may be taken of it.
    pub(super) fn scene_observed(
        &mut self,
        work: &FrameWork,
        answer: &Answer,
        package: &Arc<Package>,
        now: Monotonic,
    ) -> Observed {
        let (observed, news) = self.scenes.observe(&work.camera, answer, package, work.frame.captured_at);
        if let Some(event) = self.tell(&work.camera, &news, now) {
            let kept = answer.detections.iter().zip(&observed.kept).filter(|(_, kept)| **kept);
            let boxes = kept.filter_map(|(found, _)| found.bounding_box).collect();
            // The limit of a minute is counted where it is reached.
            if let Err(refusal) = self.snapshot_of_event(work, boxes, &event, now) {
                tracing::debug!(camera = %work.camera, event, %refusal, "no snapshot of an event");
            }
        }
        observed
    }

    /// Publishes news; the id of the first event whose best frame this is.
    fn tell(&mut self, camera: &CameraId, news: &SceneNews, now: Monotonic) -> Option<String> {
        if let Some(labels) = &news.labels {
            self.reporter.announce(camera, labels);
        }
        self.reporter.label_counts(camera, &news.counts);
        let package = news.package.as_ref()?;
        let mut best = None;
        for event in &news.events {
            let id = self.reporter.event(camera, event, package, now);
            if event.is_new_best && best.is_none() {
                best = Some(id);
            }
        }
        best
    }

    /// What time alone brings: about once a second.
    pub(super) fn tick_scenes(&mut self, now: Monotonic) {
        for (camera, news) in self.scenes.tick(now) {
            self.tell(&camera, &news, now);
        }
    }

    /// Nothing is in view of a camera that does not stream.
    pub(super) fn end_lost_scenes(&mut self, now: Monotonic) {
        let is_lost = |camera: &&Camera| !camera.is_streaming();
        let lost: Vec<CameraId> = self
            .groups
            .iter()
            .flat_map(CaptureGroup::cameras)
            .filter(is_lost)
            .map(|camera| camera.settings.id.clone())
            .collect();
        self.end_scenes(&lost, now);
    }

    /// The daemon stops.
    pub(super) fn end_all_scenes(&mut self, now: Monotonic) {
        self.end_scenes(&self.scenes.cameras(), now);
    }

    fn end_scenes(&mut self, cameras: &[CameraId], now: Monotonic) {
        for camera in cameras {
            if let Some(news) = self.scenes.lose(camera, now) {
                self.tell(camera, &news, now);
            }
        }
    }
}
