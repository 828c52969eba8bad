//! Prometheus metrics with a fixed set of labels: cameras by id, reasons by name, nothing else.

use crate::publish::outbox::OutboxStatus;
use crate::supervisor::ModelStatus;
use crate::telemetry::buckets::{BUCKETS, CALL_BUCKETS};
use crate::telemetry::camera_metrics::CameraMetrics;
use crate::telemetry::cluster_metrics::ClusterMetrics;
use crate::telemetry::event_metrics::EventMetrics;
use crate::telemetry::labels::{Counters, Labels, camera, integer, with};
use crate::telemetry::live_metrics::LiveMetrics;
use crate::telemetry::main_stream_metrics::MainStreamMetrics;
use crate::telemetry::model_metrics::ModelMetrics;
use crate::telemetry::mqtt_metrics::MqttMetrics;
use crate::telemetry::stranger_metrics::StrangerMetrics;
use crate::vision::camera_id::CameraId;
use crate::vision::camera_status::CameraStatus;
use crate::vision::outcome::{FailureCause, Outcome, ShedReason};
use crate::vision::stream_counts::StreamCounts;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The results of a snapshot.
const SNAPSHOT_RESULTS: [&str; 3] = ["taken", "limited", "failed"];

/// Every metric of the daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    captured: Counters,
    detected: Counters,
    shed: Counters,
    failed: Counters,
    snapshots: Counters,
    events: EventMetrics,
    cameras: CameraMetrics,
    main_streams: MainStreamMetrics,
    in_flight: Gauge,
    models: ModelMetrics,
    calls: Counters,
    call_seconds: Family<Labels, Histogram, fn() -> Histogram>,
    capture_restarts: Counter,
    queue_seconds: Histogram,
    inference_seconds: Histogram,
    frame_to_publish_seconds: Histogram,
    mqtt: MqttMetrics,
    cluster: ClusterMetrics,
    strangers: StrangerMetrics,
    live: LiveMetrics,
    log_dropped: Gauge,
    degraded: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers all metrics, without series of cameras.
    pub fn new() -> Self {
        let histogram = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("ocelli"),
            captured: Family::default(),
            detected: Family::default(),
            shed: Family::default(),
            failed: Family::default(),
            snapshots: Family::default(),
            events: EventMetrics::default(),
            cameras: CameraMetrics::default(),
            main_streams: MainStreamMetrics::default(),
            in_flight: Gauge::default(),
            models: ModelMetrics::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(CALL_BUCKETS)),
            capture_restarts: Counter::default(),
            queue_seconds: histogram(),
            inference_seconds: histogram(),
            frame_to_publish_seconds: histogram(),
            mqtt: MqttMetrics::default(),
            cluster: ClusterMetrics::default(),
            strangers: StrangerMetrics::default(),
            live: LiveMetrics::default(),
            log_dropped: Gauge::default(),
            degraded: Gauge::default(),
        };
        metrics.register();
        // Until there is a status, nothing is known to be right.
        metrics.degraded(1);
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("frames_captured", "Frames that a capture process announced", self.captured.clone());
        registry.register("frames_detected", "Frames that a unit analysed", self.detected.clone());
        registry.register("frames_shed", "Frames that no unit analysed", self.shed.clone());
        registry.register("frames_failed", "Frames that were tried and have no result", self.failed.clone());
        let help = "Pictures of a camera by how they ended: taken, limited by the settings, failed";
        registry.register("snapshots", help, self.snapshots.clone());
        registry.register("frames_in_flight", "Frames that wait or are worked on", self.in_flight.clone());
        self.cameras.register(registry, "camera");
        self.main_streams.register(registry);
        self.events.register(registry);
        self.models.register(registry);
        registry.register("calls", "Calls of AWS clients, by operation and how they ended", self.calls.clone());
        registry.register("call_seconds", "From a whole call to its answer", self.call_seconds.clone());
        registry.register("capture_restarts", "Capture processes started again", self.capture_restarts.clone());
        registry.register("queue_seconds", "From capture to a unit", self.queue_seconds.clone());
        registry.register("inference_seconds", "In the model", self.inference_seconds.clone());
        registry.register("frame_to_publish_seconds", "Capture to publishing", self.frame_to_publish_seconds.clone());
        self.mqtt.register(registry);
        self.cluster.register(registry);
        let help = "How many things are wrong now; `ocelli status` names them";
        registry.register("degraded", help, self.degraded.clone());
        self.strangers.register(registry);
        self.live.register(registry);
        registry.register("log_lines_dropped", "Lines that the log could not take", self.log_dropped.clone());
    }

    /// Creates a camera's series, at zero.
    pub fn add_camera(&self, id: &CameraId) {
        for family in [&self.captured, &self.detected] {
            drop(family.get_or_create(&camera(id)));
        }
        for reason in ShedReason::OF_FRAMES {
            drop(self.shed.get_or_create(&with(id, "reason", reason.name())));
        }
        for cause in FailureCause::ALL {
            drop(self.failed.get_or_create(&with(id, "cause", cause.name())));
        }
        for result in SNAPSHOT_RESULTS {
            drop(self.snapshots.get_or_create(&with(id, "result", result)));
        }
        self.events.add_camera(id);
        self.cameras.add_camera(id);
    }

    /// Removes a camera's series: it is not in the settings any more.
    pub fn remove_camera(&self, id: &CameraId) {
        for family in [&self.captured, &self.detected] {
            family.remove(&camera(id));
        }
        self.cameras.remove_camera(id);
        self.main_streams.remove(id);
        for reason in ShedReason::OF_FRAMES {
            self.shed.remove(&with(id, "reason", reason.name()));
        }
        for cause in FailureCause::ALL {
            self.failed.remove(&with(id, "cause", cause.name()));
        }
        for result in SNAPSHOT_RESULTS {
            self.snapshots.remove(&with(id, "result", result));
        }
        self.events.remove_camera(id);
    }

    /// Counts a frame that a capture process announced.
    pub fn frame_captured(&self, id: &CameraId) {
        self.captured.get_or_create(&camera(id)).inc();
    }

    /// Counts an event of a camera: `began`, `changed` or `ended`.
    pub fn event(&self, id: &CameraId, kind: &str) {
        self.events.event(id, kind);
    }

    /// Sets the gauges of the outbox.
    pub fn outbox(&self, status: &OutboxStatus) {
        self.events.outbox(status);
    }

    /// Counts the outcome of a frame.
    pub fn frame_ended(&self, id: &CameraId, outcome: Outcome) {
        match outcome {
            Outcome::Detected => self.detected.get_or_create(&camera(id)).inc(),
            Outcome::Shed(reason) => self.shed.get_or_create(&with(id, "reason", reason.name())).inc(),
            Outcome::Failed(cause) => self.failed.get_or_create(&with(id, "cause", cause.name())).inc(),
        };
    }

    /// Counts a snapshot by its result: `taken`, `limited` or `failed`.
    pub fn snapshot(&self, id: &CameraId, result: &'static str) {
        self.snapshots.get_or_create(&with(id, "result", result)).inc();
    }

    /// Observes how long the steps of a detected frame took.
    pub fn frame_timed(&self, queued: Duration, inference: Duration, total: Duration) {
        self.queue_seconds.observe(queued.as_secs_f64());
        self.inference_seconds.observe(inference.as_secs_f64());
        self.frame_to_publish_seconds.observe(total.as_secs_f64());
    }

    /// Sets the gauges of a camera.
    pub fn camera(&self, id: &CameraId, state: CameraStatus, reconnects: u64, counts: &StreamCounts) {
        self.cameras.set(id, state, reconnects, counts);
    }

    /// Those of the cluster.
    pub fn cluster(&self) -> &ClusterMetrics {
        &self.cluster
    }

    /// Those of main streams.
    pub fn main_streams(&self) -> &MainStreamMetrics {
        &self.main_streams
    }

    /// Counts a restart of a capture process.
    pub fn capture_restarted(&self) {
        self.capture_restarts.inc();
    }

    /// Sets the gauges and counters of a model.
    pub fn model(&self, model: &str, status: &ModelStatus) {
        self.models.set(model, status);
    }

    /// Removes the series of a model that no longer exists. Its inference hours stay until the month is over.
    pub fn remove_model(&self, model: &str) {
        self.models.remove(model);
    }

    /// Counts the labels that a model found in a frame or image, and observes its response time.
    pub fn answered(&self, model: &str, labels: usize, took: Duration) {
        self.models.answered(model, labels, took);
    }

    /// Sets the inference hours of a model's version since the month began.
    pub fn inference_hours(&self, model: &str, version: &str, hours: f64) {
        self.models.inference_hours(model, version, hours);
    }

    /// Removes the inference hours of a version that has none in the new month.
    pub fn remove_inference_hours(&self, model: &str, version: &str) {
        self.models.remove_inference_hours(model, version);
    }

    /// Sets the number of frames that are queued or with a unit.
    pub fn in_flight(&self, frames: u64) {
        self.in_flight.set(integer(frames));
    }

    /// Counts a call of an AWS client by its result: `ok`, `throttled`, `user_error` or `server_error`. `took` is the time
    /// from the complete request to the response; `None` for a request that never was complete.
    pub fn call(&self, operation: &'static str, result: &'static str, took: Option<Duration>) {
        let labels = vec![("operation", operation.to_owned()), ("result", result.to_owned())];
        self.calls.get_or_create(&labels).inc();
        if let Some(took) = took {
            self.call_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    /// Sets the figures of MQTT publishing.
    pub fn mqtt(&self, is_connected: bool, published: u64, refused: u64, dropped: [(&'static str, u64); 2]) {
        self.mqtt.set(is_connected, published, refused, dropped);
    }

    /// Sets how many things are wrong now.
    pub fn degraded(&self, reasons: usize) {
        self.degraded.set(integer(reasons as u64));
    }

    /// Sets how many log lines were dropped since the start.
    pub fn log_lines_dropped(&self, lines: u64) {
        self.log_dropped.set(integer(lines));
    }

    /// The metrics of what others send here.
    pub fn strangers(&self) -> &StrangerMetrics {
        &self.strangers
    }

    /// The series of live video.
    pub fn live(&self) -> &LiveMetrics {
        &self.live
    }

    /// All metrics in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        encode(&mut text, &self.registry).unwrap_or(());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_by_camera_and_reason_and_begin_at_zero() {
        let metrics = Metrics::new();
        let yard = CameraId::new("yard").unwrap();
        metrics.add_camera(&yard);
        metrics.frame_captured(&yard);
        metrics.frame_ended(&yard, Outcome::Shed(ShedReason::Superseded));
        let text = metrics.encode();
        for line in [
            "ocelli_frames_captured_total{camera=\"yard\"} 1",
            "ocelli_frames_detected_total{camera=\"yard\"} 0",
            "ocelli_frames_shed_total{camera=\"yard\",reason=\"superseded\"} 1",
            "ocelli_frames_failed_total{camera=\"yard\",cause=\"unit_hung\"} 0",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
