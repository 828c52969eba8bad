//! Metrics of received video that is passed on: live, and into clips.

use crate::telemetry::clip_metrics::ClipMetrics;
use crate::telemetry::labels::{Counters, integer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Where frames are left out: a capture process whose pipe is full, and a viewer who is slow or over the budget.
const PLACES: [&str; 2] = ["capture", "viewer"];

/// The series of live video, of all cameras together.
#[derive(Debug, Default)]
pub struct LiveMetrics {
    viewers: Gauge,
    bytes: Counter,
    dropped: Counters,
    clips: ClipMetrics,
}

impl LiveMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("live_viewers", "Viewers of live video", self.viewers.clone());
        registry.register("live_bytes", "Live video handed to viewers, in bytes", self.bytes.clone());
        registry.register("live_frames_dropped", "Frames of live video that were left out", self.dropped.clone());
        self.clips.register(registry);
        for place in PLACES {
            drop(self.dropped.get_or_create(&vec![("place", place.to_owned())]));
        }
    }

    /// The series of clips.
    pub fn clips(&self) -> &ClipMetrics {
        &self.clips
    }

    /// Sets how many viewers there are.
    pub fn viewers(&self, viewers: u64) {
        self.viewers.set(integer(viewers));
    }

    /// Counts what is handed to a viewer.
    pub fn sent(&self, bytes: u64) {
        self.bytes.inc_by(bytes);
    }

    /// Counts frames that a capture process has left out for all viewers.
    pub fn dropped_in_capture(&self, frames: u64) {
        self.dropped.get_or_create(&vec![("place", "capture".to_owned())]).inc_by(frames);
    }

    /// Counts frames that were left out for one viewer.
    pub fn dropped_for_viewer(&self, frames: u64) {
        self.dropped.get_or_create(&vec![("place", "viewer".to_owned())]).inc_by(frames);
    }
}
