//! Metrics of a model. Those that CloudWatch has for Rekognition have its names, in Prometheus' spelling.

use crate::telemetry::metrics::integer;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge>;
type Rates = Family<Labels, Gauge<f64, AtomicU64>>;

/// What is set from the status, twice a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelFigures {
    /// The least units.
    pub min: usize,
    /// The most; the least if the number is fixed.
    pub max: usize,
    /// Units there should be.
    pub desired: usize,
    /// Units that can be given work.
    pub in_service: usize,
    /// Processes started again.
    pub restarts: u64,
    /// What they can do.
    pub capacity_tps: f64,
    /// What they did.
    pub load_tps: f64,
    /// Frames that a unit looked at.
    pub succeeded: u64,
    /// Frames for which there was no capacity.
    pub throttled: u64,
}

#[derive(Debug, Default)]
pub(super) struct ModelMetrics {
    min: Gauges,
    max: Gauges,
    desired: Gauges,
    in_service: Gauges,
    restarts: Gauges,
    capacity_tps: Rates,
    load_tps: Rates,
    succeeded: Gauges,
    throttled: Gauges,
    detected_labels: Family<Labels, Counter>,
    inference_hours: Rates,
}

impl ModelMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let gauges = [
            ("min_inference_units", "The least inference units", &self.min),
            ("max_inference_units", "The most inference units", &self.max),
            ("desired_inference_units", "Inference units there should be", &self.desired),
            ("in_service_inference_units", "Inference units that take work", &self.in_service),
            ("unit_restarts", "Unit processes started again", &self.restarts),
            ("successful_request_count", "Frames that a unit looked at since the start", &self.succeeded),
            ("throttled_count", "Frames for which there was no capacity since the start", &self.throttled),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        registry.register("capacity_tps", "Transactions a second the units can do", self.capacity_tps.clone());
        registry.register("load_tps", "Transactions a second over ten seconds", self.load_tps.clone());
        registry.register("detected_label_count", "Things seen", self.detected_labels.clone());
        let help = "Units in service times hours, since the month began";
        registry.register("inference_hours", help, self.inference_hours.clone());
    }

    pub(super) fn set(&self, model: &str, figures: &ModelFigures) {
        let labels = vec![("model", model.to_owned())];
        let counts = [
            (&self.min, figures.min as u64),
            (&self.max, figures.max as u64),
            (&self.desired, figures.desired as u64),
            (&self.in_service, figures.in_service as u64),
            (&self.restarts, figures.restarts),
            (&self.succeeded, figures.succeeded),
            (&self.throttled, figures.throttled),
        ];
        for (gauge, count) in counts {
            gauge.get_or_create(&labels).set(integer(count));
        }
        self.capacity_tps.get_or_create(&labels).set(figures.capacity_tps);
        self.load_tps.get_or_create(&labels).set(figures.load_tps);
    }

    pub(super) fn labels_detected(&self, model: &str, count: usize) {
        self.detected_labels.get_or_create(&vec![("model", model.to_owned())]).inc_by(count as u64);
    }

    pub(super) fn inference_hours(&self, model: &str, version: &str, hours: f64) {
        let labels = vec![("model", model.to_owned()), ("version", version.to_owned())];
        self.inference_hours.get_or_create(&labels).set(hours);
    }
}
