//! Metrics of each model. Those that CloudWatch has for Rekognition have the same names, in Prometheus' spelling.

use crate::supervisor::ModelStatus;
use crate::telemetry::labels::{Counters, Gauges, Labels, integer};
use crate::telemetry::node_metrics::NodeMetrics;
use crate::vision::outcome::{FailureCause, ShedReason};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

type Rates = Family<Labels, Gauge<f64, AtomicU64>>;

/// Upper bounds in seconds: from a small model on a GPU to the longest timeout of a client.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Kinds of input; a unit's throughput is measured for each.
const KINDS: [&str; 2] = ["frame", "image"];

/// The reasons that stand for a lack of capacity.
const THROTTLED: [ShedReason; 6] = [
    ShedReason::Superseded,
    ShedReason::Stale,
    ShedReason::NoFreeSlot,
    ShedReason::Throttled,
    ShedReason::Expired,
    ShedReason::NoUnits,
];

#[derive(Debug)]
pub(super) struct ModelMetrics {
    min: Gauges,
    max: Gauges,
    desired: Gauges,
    in_service: Gauges,
    nodes: NodeMetrics,
    batch: Gauges,
    restarts: Counters,
    unit_tps: Rates,
    capacity_tps: Rates,
    load_tps: Rates,
    succeeded: Counters,
    transactions: Counters,
    throttled: Counters,
    images_received: Counters,
    images_detected: Counters,
    images_shed: Counters,
    images_failed: Counters,
    detected_labels: Counters,
    response_seconds: Family<Labels, Histogram, fn() -> Histogram>,
    inference_hours: Rates,
}

impl Default for ModelMetrics {
    fn default() -> Self {
        Self {
            min: Family::default(),
            max: Family::default(),
            desired: Family::default(),
            in_service: Family::default(),
            nodes: NodeMetrics::default(),
            batch: Family::default(),
            restarts: Family::default(),
            unit_tps: Family::default(),
            capacity_tps: Family::default(),
            load_tps: Family::default(),
            succeeded: Family::default(),
            transactions: Family::default(),
            throttled: Family::default(),
            images_received: Family::default(),
            images_detected: Family::default(),
            images_shed: Family::default(),
            images_failed: Family::default(),
            detected_labels: Family::default(),
            response_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            inference_hours: Family::default(),
        }
    }
}

impl ModelMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let gauges = [
            ("min_inference_units", "The least inference units", &self.min),
            ("max_inference_units", "The most inference units", &self.max),
            ("desired_inference_units", "Inference units there should be", &self.desired),
            ("in_service_inference_units", "Inference units that take work", &self.in_service),
            ("unit_batch", "Pictures that a unit takes together at most", &self.batch),
        ];
        let counters = [
            ("unit_restarts", "Unit processes started again", &self.restarts),
            ("successful_request_count", "Frames and images that a unit looked at", &self.succeeded),
            ("transactions", "Looks that the frames and images took: each tile is one", &self.transactions),
            ("throttled_count", "Frames and images for which there was no capacity", &self.throttled),
            ("images_received", "Images that came from outside", &self.images_received),
            ("images_detected", "Images that a unit looked at", &self.images_detected),
            ("images_shed", "Images that no unit analysed", &self.images_shed),
            ("images_failed", "Images that were tried and have no result", &self.images_failed),
            ("detected_label_count", "Things seen", &self.detected_labels),
        ];
        let rates = [
            ("unit_tps", "Transactions a second one unit can do, by kind of input", &self.unit_tps),
            ("capacity_tps", "Transactions a second the units can do", &self.capacity_tps),
            ("load_tps", "Transactions a second over ten seconds", &self.load_tps),
            ("inference_hours", "Units in service times hours, since the month began", &self.inference_hours),
        ];
        gauges.into_iter().for_each(|(name, help, gauge)| registry.register(name, help, gauge.clone()));
        counters.into_iter().for_each(|(name, help, counter)| registry.register(name, help, counter.clone()));
        rates.into_iter().for_each(|(name, help, rate)| registry.register(name, help, rate.clone()));
        let help = "From when a frame was captured or an image had come to its answer";
        registry.register("response_time_seconds", help, self.response_seconds.clone());
        self.nodes.register(registry);
    }

    pub(super) fn set(&self, model: &str, status: &ModelStatus) {
        let labels = vec![("model", model.to_owned())];
        let mut total = status.images.clone();
        total.add(&status.former_cameras);
        status.ledgers.values().for_each(|ledger| total.add(ledger));
        let throttled = THROTTLED.iter().filter_map(|reason| total.shed.get(reason)).sum();
        let gauges = [
            (&self.min, status.min_units),
            (&self.max, status.max_units.unwrap_or(status.min_units)),
            (&self.desired, status.desired),
            (&self.in_service, status.in_service),
            (&self.batch, status.batch as usize),
        ];
        let counters = [
            (&self.restarts, status.restarts),
            (&self.succeeded, total.detected),
            (&self.transactions, status.transactions),
            (&self.throttled, throttled),
            (&self.images_received, status.images.captured),
            (&self.images_detected, status.images.detected),
        ];
        for (gauge, count) in gauges {
            gauge.get_or_create(&labels).set(integer(count as u64));
        }
        for (counter, count) in counters {
            set_counter(counter, &labels, count);
        }
        for reason in ShedReason::OF_IMAGES {
            let count = status.images.shed.get(&reason).copied().unwrap_or_default();
            set_counter(&self.images_shed, &with(&labels, "reason", reason.name()), count);
        }
        for cause in FailureCause::ALL {
            let count = status.images.failed.get(&cause).copied().unwrap_or_default();
            set_counter(&self.images_failed, &with(&labels, "cause", cause.name()), count);
        }
        for (kind, tps) in KINDS.into_iter().zip([status.unit_frame_tps, status.unit_image_tps]) {
            self.unit_tps.get_or_create(&with(&labels, "kind", kind)).set(tps);
        }
        self.nodes.set(model, &status.nodes);
        self.capacity_tps.get_or_create(&labels).set(status.capacity_tps);
        self.load_tps.get_or_create(&labels).set(status.load_tps);
    }

    pub(super) fn answered(&self, model: &str, labels: usize, took: Duration) {
        let of_model = vec![("model", model.to_owned())];
        self.detected_labels.get_or_create(&of_model).inc_by(labels as u64);
        self.response_seconds.get_or_create(&of_model).observe(took.as_secs_f64());
    }

    /// Removes all series of a model, except its inference hours.
    pub(super) fn remove(&self, model: &str) {
        let labels = vec![("model", model.to_owned())];
        for gauge in [&self.min, &self.max, &self.desired, &self.in_service, &self.batch] {
            gauge.remove(&labels);
        }
        let counters = [
            &self.restarts,
            &self.succeeded,
            &self.transactions,
            &self.throttled,
            &self.images_received,
            &self.images_detected,
            &self.detected_labels,
        ];
        for counter in counters {
            counter.remove(&labels);
        }
        for reason in ShedReason::OF_IMAGES {
            self.images_shed.remove(&with(&labels, "reason", reason.name()));
        }
        for cause in FailureCause::ALL {
            self.images_failed.remove(&with(&labels, "cause", cause.name()));
        }
        for kind in KINDS {
            self.unit_tps.remove(&with(&labels, "kind", kind));
        }
        self.nodes.set(model, &BTreeMap::new());
        self.capacity_tps.remove(&labels);
        self.load_tps.remove(&labels);
        self.response_seconds.remove(&labels);
    }

    pub(super) fn inference_hours(&self, model: &str, version: &str, hours: f64) {
        self.inference_hours.get_or_create(&of_version(model, version)).set(hours);
    }

    pub(super) fn remove_inference_hours(&self, model: &str, version: &str) {
        self.inference_hours.remove(&of_version(model, version));
    }
}

fn of_version(model: &str, version: &str) -> Labels {
    vec![("model", model.to_owned()), ("version", version.to_owned())]
}

/// Sets a counter to a total that is counted elsewhere, where it only grows.
fn set_counter(counter: &Counters, labels: &Labels, count: u64) {
    counter.get_or_create(labels).inner().store(count, Ordering::Relaxed);
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    labels.iter().cloned().chain([(name, value.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Ledger;
    use crate::vision::camera_id::CameraId;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn requests_have_the_names_that_cloudwatch_users_know_and_images_their_outcomes() {
        let (metrics, mut registry) = (ModelMetrics::default(), Registry::with_prefix("ocelli"));
        metrics.register(&mut registry);
        let shed = BTreeMap::from([(ShedReason::Throttled, 3)]);
        let images = Ledger { captured: 4, detected: 1, shed, ..Ledger::default() };
        let frames = Ledger { captured: 4, detected: 4, ..Ledger::default() };
        let ledgers = BTreeMap::from([(CameraId::new("yard").unwrap(), frames)]);
        let status =
            ModelStatus { min_units: 1, batch: 4, transactions: 25, images, ledgers, ..ModelStatus::default() };
        metrics.set("m", &status);
        metrics.answered("m", 4, Duration::from_millis(20));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "ocelli_min_inference_units{model=\"m\"} 1",
            "ocelli_successful_request_count_total{model=\"m\"} 5",
            "ocelli_unit_batch{model=\"m\"} 4",
            "ocelli_transactions_total{model=\"m\"} 25",
            "ocelli_throttled_count_total{model=\"m\"} 3",
            "ocelli_detected_label_count_total{model=\"m\"} 4",
            "ocelli_response_time_seconds_count{model=\"m\"} 1",
            "ocelli_images_shed_total{model=\"m\",reason=\"throttled\"} 3",
            "ocelli_images_shed_total{model=\"m\",reason=\"expired\"} 0",
            "ocelli_images_failed_total{model=\"m\",cause=\"unit_hung\"} 0",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn a_model_that_goes_takes_its_series_with_it_and_leaves_its_hours_in_the_meter() {
        let (metrics, mut registry) = (ModelMetrics::default(), Registry::with_prefix("ocelli"));
        metrics.register(&mut registry);
        for model in ["gone", "other"] {
            metrics.set(model, &ModelStatus::default());
            metrics.answered(model, 4, Duration::from_millis(20));
            metrics.inference_hours(model, "v1", 2.0);
        }
        let lines_of = |model: &str| {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text.lines().filter(|line| line.contains(model)).map(str::to_owned).collect::<Vec<_>>()
        };
        let before = lines_of("other");
        metrics.remove("gone");
        assert_eq!(lines_of("gone"), ["ocelli_inference_hours{model=\"gone\",version=\"v1\"} 2.0"]);
        metrics.remove_inference_hours("gone", "v1");
        assert!(lines_of("gone").is_empty());
        assert_eq!(lines_of("other"), before);
    }
}
