//! Metrics of the box's part in a cluster. A box on its own has none of them.

use crate::telemetry::labels::{Counters, Gauges, integer};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

/// What may become of a call that is handed on, and of one that another box hands on.
const HANDED_ON: [&str; 11] = [
    "answered",
    "refused",
    "failed",
    "not_taken",
    "no_peer",
    "late",
    "busy",
    "unreachable",
    "timed_out",
    "unreadable",
    "abandoned",
];
const TAKEN: [&str; 5] = ["answered", "refused", "failed", "other_package", "broken"];

/// The series of the cluster.
#[derive(Debug, Default)]
pub struct ClusterMetrics {
    connected: Gauges,
    boxes: Gauges,
    cameras: Gauges,
    moves: Counters,
    model_units: Gauges,
    handed_on: Counters,
    taken: Counters,
}

impl ClusterMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 while the box is heard of in the cluster's etcd; absent without a cluster";
        registry.register("cluster_etcd_connected", help, self.connected.clone());
        registry.register("cluster_boxes", "Boxes of the cluster that are there", self.boxes.clone());
        let help = "Cameras of the cluster: those that this box owns, and those that no box owns";
        registry.register("cluster_cameras", help, self.cameras.clone());
        registry.register(
            "cluster_moves",
            "Plans of cameras of the whole cluster on a box that they were not on, by reason, as this box saw them",
            self.moves.clone(),
        );
        let help =
            "Inference units of each shared model on all boxes: at least wanted, in service, and without a place";
        registry.register("cluster_model_units", help, self.model_units.clone());
        let help = "Calls that this box refused and handed on, or could not, by what became of them";
        registry.register("cluster_calls_handed_on", help, self.handed_on.clone());
        let help = "Calls that other boxes handed to this one, by what became of them";
        registry.register("cluster_calls_taken", help, self.taken.clone());
    }

    /// The series of calls begin at zero, so that the first of each outcome shows as an increase.
    pub fn begin_calls(&self) {
        for (counters, outcomes) in [(&self.handed_on, &HANDED_ON[..]), (&self.taken, &TAKEN[..])] {
            outcomes.iter().for_each(|outcome| drop(counters.get_or_create(&vec![("outcome", (*outcome).to_owned())])));
        }
    }

    /// Counts a call that this box refused, by what became of it elsewhere.
    pub fn handed_on(&self, outcome: &'static str) {
        self.handed_on.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// Counts a call of another box.
    pub fn taken(&self, outcome: &'static str) {
        self.taken.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// Takes over how many cameras were planned on another box so far, by reason.
    pub fn set_moves(&self, counts: &BTreeMap<String, u64>) {
        for (reason, count) in counts {
            let counter = self.moves.get_or_create(&vec![("reason", reason.clone())]);
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }

    /// Sets the units of the shared models: wanted at least, in service, without a place. Those of other models go.
    pub fn set_models<'a>(&self, models: impl Iterator<Item = (&'a str, [usize; 3])>) {
        self.model_units.clear();
        for (model, counts) in models {
            for (what, count) in ["wanted", "in_service", "missing"].into_iter().zip(counts) {
                let labels = vec![("model", model.to_owned()), ("units", what.to_owned())];
                self.model_units.get_or_create(&labels).set(number(count));
            }
        }
    }

    /// Sets the gauges of boxes and cameras. `cameras`: those that this box owns, and those that no box owns.
    pub fn set(&self, is_connected: bool, boxes: usize, (owned, unowned): (usize, usize)) {
        self.connected.get_or_create(&Vec::new()).set(i64::from(is_connected));
        self.boxes.get_or_create(&Vec::new()).set(number(boxes));
        for (owner, count) in [("this_box", owned), ("none", unowned)] {
            self.cameras.get_or_create(&vec![("owner", owner.to_owned())]).set(number(count));
        }
    }
}

fn number(count: usize) -> i64 {
    integer(u64::try_from(count).unwrap_or(u64::MAX))
}
