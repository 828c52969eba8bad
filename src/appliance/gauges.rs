//! Sets the metrics that show how things are now, and removes those of what is gone.

use crate::control::{ApplianceStatus, judge};
use crate::ipc::refused_calls::RefusedCalls;
use crate::publish::outbox::OutboxStatus;
use crate::publish::publisher::PublishStatus;
use crate::telemetry::log_queue::LogQueue;
use crate::telemetry::metrics::Metrics;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The gauges of the status.
#[derive(Debug)]
pub(super) struct Gauges {
    metrics: Arc<Metrics>,
    refused_calls: RefusedCalls,
    /// Models, and versions with inference hours, that the metrics show.
    shown_models: BTreeSet<String>,
    shown_hours: BTreeSet<(String, String)>,
}

impl Gauges {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            refused_calls: RefusedCalls::default(),
            shown_models: BTreeSet::new(),
            shown_hours: BTreeSet::new(),
        }
    }

    /// Shows these counts from now on.
    pub(super) fn show_refused_calls(&mut self, refused: RefusedCalls) {
        self.refused_calls = refused;
    }

    /// Sets all of them. `mqtt` and `log` are absent if there are none.
    pub(super) fn set(
        &mut self,
        status: &ApplianceStatus,
        mqtt: Option<PublishStatus>,
        outbox: Option<&OutboxStatus>,
        log: Option<&LogQueue>,
    ) {
        self.remove_gone(status);
        let metrics = &self.metrics;
        for (name, model) in &status.models {
            metrics.model(name, model);
        }
        for ((model, version), hours) in &status.inference_hours {
            metrics.inference_hours(model, version, *hours);
        }
        metrics.in_flight(status.in_flight);
        metrics.degraded(judge::reasons(status, status.made_at.unwrap_or_default()).len());
        metrics.log_lines_dropped(log.map_or(0, LogQueue::dropped));
        metrics.strangers().lines_left_out(log.map_or(0, LogQueue::left_out));
        for (kind, count) in self.refused_calls.counts() {
            metrics.strangers().calls_refused(kind, count);
        }
        for (id, camera) in &status.cameras {
            metrics.camera(id, camera.state.state, camera.reconnects, &camera.counts);
            let main_streams = metrics.main_streams();
            match &camera.main {
                Some(main) => {
                    main_streams.set(id, main.state.state, main.reconnects, &main.counts);
                }
                None => main_streams.remove(id),
            }
        }
        if let Some(mqtt) = mqtt {
            let dropped = [("broker_away", mqtt.dropped_broker_away), ("queue_full", mqtt.dropped_queue_full)];
            metrics.mqtt(mqtt.connected, mqtt.published, mqtt.refused, dropped);
        }
        if let Some(outbox) = outbox {
            metrics.outbox(outbox);
        }
    }

    /// Removes the metrics of models and versions that are gone. They would keep their last values.
    fn remove_gone(&mut self, status: &ApplianceStatus) {
        let is_gone = |model: &&String| !status.models.contains_key(*model);
        self.shown_models.iter().filter(is_gone).for_each(|model| self.metrics.remove_model(model));
        self.shown_models = status.models.keys().cloned().collect();
        let is_over = |version: &&(String, String)| !status.inference_hours.contains_key(*version);
        for (model, version) in self.shown_hours.iter().filter(is_over) {
            self.metrics.remove_inference_hours(model, version);
        }
        self.shown_hours = status.inference_hours.keys().cloned().collect();
    }
}
