//! Metrics of what is published over MQTT.

use crate::telemetry::labels::{Gauges, integer};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The series of the connection to the broker.
#[derive(Debug, Default)]
pub(super) struct MqttMetrics {
    /// Without a series until it is set: a box without MQTT has no broker to be away.
    connected: Gauges,
    published: Gauge,
    refused: Gauge,
    dropped: Gauges,
}

impl MqttMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 while the broker is connected; absent without MQTT";
        registry.register("mqtt_connected", help, self.connected.clone());
        let help = "Messages that the broker has taken: acknowledged, or without acknowledgement written to it";
        registry.register("mqtt_published", help, self.published.clone());
        let help = "Retained messages, replies and subscriptions that the broker has refused";
        registry.register("mqtt_refused", help, self.refused.clone());
        registry.register("mqtt_dropped", "Detections that were not published", self.dropped.clone());
    }

    pub(super) fn set(&self, is_connected: bool, published: u64, refused: u64, dropped: [(&'static str, u64); 2]) {
        self.connected.get_or_create(&Vec::new()).set(i64::from(is_connected));
        self.published.set(integer(published));
        self.refused.set(integer(refused));
        for (reason, count) in dropped {
            self.dropped.get_or_create(&vec![("reason", reason.to_owned())]).set(integer(count));
        }
    }
}
