//! The scene of each camera: its tracker, its label counts as they were published, and its events.

use crate::camera::settings::CameraSettings;
use crate::core::effect::{Effect, event_id};
use crate::core::report::Report;
use crate::core::tampering::Tampering;
use crate::model::package::Package;
use crate::publish::label_counts::{LabelCount, LabelCounts};
use crate::supervisor::Answer;
use crate::tracking::settings::TrackingSettings;
use crate::tracking::{CameraTracker, NamedDetection, TrackEvent, TrackedFrame, TrackingRules};
use crate::vision::camera_id::CameraId;
use crate::vision::detection::Detection;
use crate::vision::frame::Frame;
use crate::vision::monotonic::Monotonic;
use crate::vision::tamper::TamperKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scene of one camera.
#[derive(Debug)]
struct Scene {
    /// `None`: tracking is switched off.
    tracker: Option<CameraTracker>,
    /// The labels that the camera may report; empty: all.
    labels: Vec<String>,
    counts: LabelCounts,
    /// The package that produced the last result.
    package: Option<Arc<Package>>,
    /// True if something may be in view.
    is_live: bool,
    tampering: Tampering,
}

/// The scenes of all cameras, and the sequence number of their events.
#[derive(Debug)]
pub(super) struct Scenes {
    by_camera: BTreeMap<CameraId, Scene>,
    boot_id: String,
    last_seq: u64,
}

impl Scenes {
    /// The settings were checked before; a scene whose rules are invalid all the same is not tracked.
    pub(super) fn new(tracking: &TrackingSettings, cameras: &[CameraSettings], boot_id: String) -> Self {
        let scene = |camera: &CameraSettings| (camera.id.clone(), Scene::new(tracking, camera));
        Self { by_camera: cameras.iter().map(scene).collect(), boot_id, last_seq: 0 }
    }

    /// Begins the scene of a new camera, or of one with other rules: what was in view before has ended.
    pub(super) fn begin(
        &mut self,
        tracking: &TrackingSettings,
        camera: &CameraSettings,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) {
        self.lose(&camera.id, now, effects);
        self.by_camera.insert(camera.id.clone(), Scene::new(tracking, camera));
    }

    /// Removes the scene of a camera: what was in view has ended.
    pub(super) fn remove(&mut self, camera: &CameraId, now: Monotonic, effects: &mut Vec<Effect>) {
        self.lose(camera, now, effects);
        self.by_camera.remove(camera);
    }

    /// A picture that was captured at `at` shows what is known.
    pub(super) fn still(&mut self, camera: &CameraId, at: Monotonic) {
        if let Some(tracker) = self.by_camera.get_mut(camera).and_then(|scene| scene.tracker.as_mut()) {
            tracker.still(at);
        }
    }

    /// What was done to a camera by now. Its event goes with the next frame that is analysed, which is its picture.
    pub(super) fn tampered(&mut self, camera: &CameraId, kind: Option<TamperKind>) {
        if let Some(scene) = self.by_camera.get_mut(camera) {
            scene.tampering.tell(kind);
        }
    }

    /// Tracks the detections of a frame, then the weak ones, in the order of the tracker's result. Returns the tracker's result, and the id of the
    /// first event whose best picture is this frame.
    pub(super) fn observe(
        &mut self,
        camera: &CameraId,
        answer: &Answer,
        package: &Arc<Package>,
        frame: &Frame,
        effects: &mut Vec<Effect>,
    ) -> (TrackedFrame, Option<String>) {
        let named = |found: &Detection, is_weak| NamedDetection {
            label: package.labels.name(found.class),
            confidence: found.confidence,
            bounding_box: found.bounding_box,
            is_weak,
        };
        let weak = answer.weak.iter().map(|found| named(found, true));
        let detections: Vec<NamedDetection<'_>> =
            answer.detections.iter().map(|found| named(found, false)).chain(weak).collect();
        let Some(scene) = self.by_camera.get_mut(camera) else { return (without_tracker(&detections), None) };
        let mut tracked = match &mut scene.tracker {
            Some(tracker) => {
                // Those of the past, from before something moved, are decoded late.
                tracker.set_lag(frame.decoded_at.since(frame.captured_at));
                tracker.observe(&detections, frame.captured_at)
            }
            None => without_tracker(&detections),
        };
        scene.is_live = true;
        if let Some(tracker) = &mut scene.tracker {
            tracked.events.extend(scene.tampering.event(frame.captured_at, || tracker.take_number()));
        }
        let labels = scene.looked_at_by(package);
        let mut counts: Vec<LabelCount> = if labels.is_some() { scene.counts.current().collect() } else { Vec::new() };
        counts.extend(scene.count(&tracked.in_view));
        if let Some(labels) = labels {
            let are_listed = !scene.labels.is_empty();
            effects.push(Effect::Report(Report::Labels { camera: camera.clone(), labels, are_listed }));
        }
        let events = std::mem::take(&mut tracked.events);
        let best = self.report(camera, events, counts, Some(package), effects);
        (tracked, best)
    }

    /// Ends objects and labels that were out of view for too long. Call it about once a second.
    pub(super) fn tick(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        let mut news = Vec::new();
        for (camera, scene) in &mut self.by_camera {
            let Some(tracker) = scene.tracker.as_mut().filter(|_| scene.is_live) else { continue };
            let events = tracker.tick(now);
            let in_view = tracker.in_view();
            let counts = scene.count(&in_view);
            if !events.is_empty() || !counts.is_empty() {
                news.push((camera.clone(), events, counts, scene.package.clone()));
            }
        }
        for (camera, events, counts, package) in news {
            self.report(&camera, events, counts, package.as_ref(), effects);
        }
    }

    /// The camera is lost, or the daemon stops. Ends everything in view and reports it once.
    pub(super) fn lose(&mut self, camera: &CameraId, now: Monotonic, effects: &mut Vec<Effect>) {
        let Some(scene) = self.by_camera.get_mut(camera).filter(|scene| scene.is_live) else { return };
        scene.is_live = false;
        let mut events = scene.tracker.as_mut().map(|tracker| tracker.end_all(now)).unwrap_or_default();
        events.extend(scene.tampering.end(now));
        let (counts, package) = (scene.counts.lose_camera(), scene.package.clone());
        self.report(camera, events, counts, package.as_ref(), effects);
    }

    /// Ends everything in view of all cameras, because the daemon stops.
    pub(super) fn lose_all(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        for camera in self.by_camera.keys().cloned().collect::<Vec<_>>() {
            self.lose(&camera, now, effects);
        }
    }

    fn report(
        &mut self,
        camera: &CameraId,
        events: Vec<TrackEvent>,
        counts: Vec<LabelCount>,
        package: Option<&Arc<Package>>,
        effects: &mut Vec<Effect>,
    ) -> Option<String> {
        if !counts.is_empty() {
            effects.push(Effect::Report(Report::LabelCounts { camera: camera.clone(), counts }));
        }
        let mut best = None;
        for event in events {
            let Some(package) = package.cloned() else { continue };
            self.last_seq += 1;
            if event.is_new_best && best.is_none() {
                best = Some(event_id(&self.boot_id, self.last_seq));
            }
            let (seq, camera, event) = (self.last_seq, camera.clone(), Box::new(event));
            effects.push(Effect::Report(Report::Event { seq, camera, event, package }));
        }
        best
    }
}

impl Scene {
    fn new(tracking: &TrackingSettings, camera: &CameraSettings) -> Self {
        let rules = TrackingRules::new(tracking, &camera.scene).ok().filter(|_| tracking.enabled);
        Self {
            tracker: rules.map(CameraTracker::new),
            labels: camera.scene.labels.clone(),
            counts: LabelCounts::default(),
            package: None,
            is_live: false,
            tampering: Tampering::default(),
        }
    }

    /// Returns the labels that the camera may report, if this is its first package or one with other labels. Each gets
    /// a count, which also replaces a count that an earlier run left on the broker.
    fn looked_at_by(&mut self, package: &Arc<Package>) -> Option<Vec<String>> {
        let is_known =
            self.package.as_ref().is_some_and(|known| Arc::ptr_eq(known, package) || known.labels == package.labels);
        self.package = Some(Arc::clone(package));
        if is_known {
            return None;
        }
        let matters = |label: &&str| self.labels.is_empty() || self.labels.iter().any(|wanted| wanted == label);
        let labels: Vec<String> = package.labels.names().filter(matters).map(str::to_owned).collect();
        let known: Vec<String> = self.counts.current().map(|count| count.level).collect();
        self.counts = LabelCounts::starting_at_zero(known.iter().chain(&labels).map(String::as_str));
        Some(labels)
    }

    fn count(&mut self, in_view: &BTreeMap<String, u32>) -> Vec<LabelCount> {
        let things = in_view.iter().flat_map(|(label, count)| (0..*count).map(move |_| label.as_str()));
        self.counts.set_in_view(things)
    }
}

/// The result for a camera without a tracker: every detection that is not weak is kept, none has a track.
fn without_tracker(detections: &[NamedDetection<'_>]) -> TrackedFrame {
    let mut in_view = BTreeMap::new();
    for detection in detections.iter().filter(|detection| !detection.is_weak) {
        *in_view.entry(detection.label.to_owned()).or_default() += 1;
    }
    let tracks = vec![None; detections.len()];
    let kept = detections.iter().map(|detection| !detection.is_weak).collect();
    TrackedFrame { tracks, kept, events: Vec::new(), in_view, moves: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tracker_what_the_model_keeps_back_is_neither_published_nor_counted() {
        let person = |confidence, is_weak| NamedDetection { label: "person", confidence, bounding_box: None, is_weak };
        let result = without_tracker(&[person(0.9, false), person(0.4, true)]);
        assert_eq!(result.kept, [true, false]);
        assert_eq!(result.in_view, BTreeMap::from([("person".to_owned(), 1)]));
    }
}
