//! Metrics of main streams: those of cameras with two.

use crate::telemetry::camera_metrics::CameraMetrics;
use crate::telemetry::labels::{Counters, with};
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::stream_counts::StreamCounts;
use prometheus_client::registry::Registry;

/// The streams of a snapshot.
const STREAMS: [&str; 2] = ["main", "detect"];

/// The series of all main streams.
#[derive(Debug, Default)]
pub struct MainStreamMetrics {
    connections: CameraMetrics,
    snapshots: Counters,
}

impl MainStreamMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        self.connections.register(registry, "camera_main");
        let help = "Pictures of a camera with two streams, by the one that they show: main, or detect in place of it";
        registry.register("snapshot_streams", help, self.snapshots.clone());
    }

    /// Sets the gauges of a camera's main stream.
    pub fn set(&self, id: &CameraId, state: CameraStatus, reconnects: u64, counts: &StreamCounts) {
        self.connections.set(id, state, reconnects, counts);
        for stream in STREAMS {
            drop(self.snapshots.get_or_create(&with(id, "stream", stream)));
        }
    }

    /// Removes the series of a camera: it has no main stream any more.
    pub fn remove(&self, id: &CameraId) {
        self.connections.remove_camera(id);
        for stream in STREAMS {
            self.snapshots.remove(&with(id, "stream", stream));
        }
    }

    /// Counts a snapshot by the stream that it shows.
    pub fn snapshot(&self, id: &CameraId, stream: &'static str) {
        self.snapshots.get_or_create(&with(id, "stream", stream)).inc();
    }
}
