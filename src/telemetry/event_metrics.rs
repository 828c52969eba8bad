//! Metrics of events and of the outbox.

use crate::publish::outbox::OutboxStatus;
use crate::telemetry::labels::{Counters, Gauges, integer, with};
use crate::vision::camera_id::CameraId;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The types of events.
const TYPES: [&str; 3] = ["began", "changed", "ended"];

/// The metrics of events and of the outbox, part of the daemon's `Metrics`.
#[derive(Debug, Default)]
pub(super) struct EventMetrics {
    events: Counters,
    outbox_events: Gauges,
    waiting: Gauge,
    on_their_way: Gauge,
    is_on_disk: Gauge,
}

impl EventMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("events", "What began, changed and ended before a camera", self.events.clone());
        let help = "Events in the outbox since the start, by what became of them";
        registry.register("outbox_events", help, self.outbox_events.clone());
        registry.register("outbox_waiting", "Events that wait to leave", self.waiting.clone());
        let help = "Events that have left and are not acknowledged";
        registry.register("outbox_on_their_way", help, self.on_their_way.clone());
        let help = "1 while events are written to disk, 0 while they are kept in memory";
        registry.register("outbox_on_disk", help, self.is_on_disk.clone());
    }

    pub(super) fn add_camera(&self, id: &CameraId) {
        for kind in TYPES {
            drop(self.events.get_or_create(&with(id, "type", kind)));
        }
    }

    pub(super) fn remove_camera(&self, id: &CameraId) {
        for kind in TYPES {
            self.events.remove(&with(id, "type", kind));
        }
    }

    pub(super) fn event(&self, id: &CameraId, kind: &str) {
        self.events.get_or_create(&with(id, "type", kind)).inc();
    }

    pub(super) fn outbox(&self, status: &OutboxStatus) {
        self.waiting.set(integer(status.waiting));
        self.on_their_way.set(integer(status.on_their_way));
        self.is_on_disk.set(i64::from(status.trouble.is_none()));
        let counts = [
            ("recorded", status.recorded),
            ("delivered", status.delivered),
            ("refused", status.refused),
            ("put_off", status.put_off),
            ("dropped", status.dropped),
            ("damaged", status.damaged),
        ];
        for (result, count) in counts {
            self.outbox_events.get_or_create(&vec![("result", result.to_owned())]).set(integer(count));
        }
    }
}
