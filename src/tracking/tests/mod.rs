//! The tracker, driven by frames.

mod generated_scene;
mod mot_metrics;
mod quality;

use super::*;
use crate::tracking::settings::TrackingSettings;

/// A tracker with the default settings and this scene.
fn tracker(scene: &str) -> CameraTracker {
    CameraTracker::new(TrackingRules::new(&TrackingSettings::default(), &toml::from_str(scene).unwrap()).unwrap())
}
