//! Metrics of connections to cameras: what arrived, what was decoded, and what was not, by reason. Main streams have the same
//! ones under names of their own, so that sums over cameras keep their meaning.

use crate::telemetry::labels::{Gauges, camera, integer, with};
use crate::vision::attention::Attention;
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::stream_counts::{SkippedFrames, StreamCounts};
use crate::vision::stream_signal::SignalUse;
use prometheus_client::registry::Registry;

/// The series of all cameras.
#[derive(Debug, Default)]
pub(super) struct CameraMetrics {
    is_up: Gauges,
    enabled: Gauges,
    reconnects: Gauges,
    received: Gauges,
    decoded: Gauges,
    skipped: Gauges,
    waiting: Gauges,
    packets: Gauges,
    packets_lost: Gauges,
    bytes: Gauges,
    watched: Gauges,
    signal: Gauges,
    motion_events: Gauges,
}

impl CameraMetrics {
    /// Each family that has one series a camera, with its name and help.
    fn families(&self) -> [(&'static str, &'static str, &Gauges); 12] {
        [
            ("up", "1 while the camera streams", &self.is_up),
            ("enabled", "0 while the camera is switched off", &self.enabled),
            ("reconnects", "Connections lost since the start", &self.reconnects),
            ("frames_received", "Encoded frames received since the start", &self.received),
            ("frames_decoded", "Frames decoded since the start", &self.decoded),
            ("frames_waiting", "Frames that wait for the decoder or are in it", &self.waiting),
            ("packets", "RTP packets received since the start", &self.packets),
            ("packets_lost", "RTP packets missing in the numbering since the start", &self.packets_lost),
            ("bytes", "Bytes of encoded frames since the start", &self.bytes),
            ("watched", "1 while nothing moves and only keyframes are decoded", &self.watched),
            ("signal_used", "1 while the sizes of frames are known to tell that something moves", &self.signal),
            ("motion_events", "Messages of the camera that something moves since the start", &self.motion_events),
        ]
    }

    /// Names begin with `prefix`: `camera`, or `camera_main` for main streams.
    pub(super) fn register(&self, registry: &mut Registry, prefix: &str) {
        for (name, help, family) in self.families() {
            registry.register(format!("{prefix}_{name}"), help, family.clone());
        }
        let help = "Frames received and not decoded since the start, by reason";
        registry.register(format!("{prefix}_frames_skipped"), help, self.skipped.clone());
    }

    pub(super) fn add_camera(&self, id: &CameraId) {
        self.set(id, CameraStatus::Connecting, 0, &StreamCounts::default());
    }

    pub(super) fn remove_camera(&self, id: &CameraId) {
        for (_, _, family) in self.families() {
            family.remove(&camera(id));
        }
        for (reason, _) in SkippedFrames::default().by_reason() {
            self.skipped.remove(&with(id, "reason", reason));
        }
    }

    pub(super) fn set(&self, id: &CameraId, state: CameraStatus, reconnects: u64, counts: &StreamCounts) {
        let is_up = state == CameraStatus::Streaming;
        let values = [
            u64::from(is_up),
            u64::from(state != CameraStatus::Disabled),
            reconnects,
            counts.received,
            counts.decoded,
            counts.waiting,
            counts.packets,
            counts.packets_lost,
            counts.bytes,
            u64::from(is_up && counts.attention == Attention::Watched),
            u64::from(is_up && counts.signal.is_some_and(|signal| signal.used == SignalUse::Sizes)),
            counts.motion_events,
        ];
        for ((_, _, family), value) in self.families().into_iter().zip(values) {
            family.get_or_create(&camera(id)).set(integer(value));
        }
        for (reason, count) in counts.skipped.by_reason() {
            self.skipped.get_or_create(&with(id, "reason", reason)).set(integer(count));
        }
    }
}
