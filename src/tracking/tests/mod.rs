//! Drives the tracker with frames.

mod arbitrary_input;
mod generated_scene;
mod lives;
mod quality;
mod real_scene;
mod still_scenes;

use crate::tracking::settings::TrackingSettings;
use crate::tracking::{CameraTracker, EventKind, NamedDetection, TrackEvent, TrackedFrame, TrackingRules};
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// A tracker with the default settings and this scene.
fn tracker(scene: &str) -> CameraTracker {
    CameraTracker::new(TrackingRules::new(&TrackingSettings::as_shipped(), &toml::from_str(scene).unwrap()).unwrap())
}

/// A simulated camera with five frames a second, and its tracker.
struct Stage {
    tracker: CameraTracker,
    now: Monotonic,
}

impl Stage {
    fn new(scene: &str) -> Self {
        Self { tracker: tracker(scene), now: Monotonic::from_nanos(1_000_000_000) }
    }

    /// Shows one frame.
    fn shows(&mut self, detections: &[NamedDetection<'_>]) -> TrackedFrame {
        self.passes(200);
        self.tracker.observe(detections, self.now)
    }

    /// Shows several equal frames and returns their events.
    fn keeps_showing(&mut self, detections: &[NamedDetection<'_>], frames: u32) -> Vec<TrackEvent> {
        (0..frames).flat_map(|_| self.shows(detections).events).collect()
    }

    fn passes(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
    }
}

/// A detection of an object that stands at these ratios of the picture.
fn at(label: &str, confidence: f32, x: f32, y: f32) -> NamedDetection<'_> {
    let bounding_box = NormalizedBox { left: x - 0.03, top: y - 0.2, width: 0.06, height: 0.2 };
    NamedDetection { label, confidence, bounding_box: Some(bounding_box), is_weak: false }
}

/// A label of the whole picture.
fn whole(label: &str, confidence: f32) -> NamedDetection<'_> {
    NamedDetection { label, confidence, bounding_box: None, is_weak: false }
}

fn kinds(events: &[TrackEvent]) -> Vec<(EventKind, u64)> {
    events.iter().map(|event| (event.kind, event.track)).collect()
}
