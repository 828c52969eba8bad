//! Metrics of the box's part in a cluster. A box on its own has none of them.

use crate::telemetry::labels::{Counters, Gauges, integer};
use prometheus_client::registry::Registry;

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

    /// Sets all gauges. `cameras`: those that this box owns, and those that no box owns.
    pub fn set(&self, is_connected: bool, boxes: usize, (owned, unowned): (usize, usize)) {
        let number = |count: usize| integer(u64::try_from(count).unwrap_or(u64::MAX));
        self.connected.get_or_create(&Vec::new()).set(i64::from(is_connected));
        self.boxes.get_or_create(&Vec::new()).set(number(boxes));
        for (owner, count) in [("this_box", owned), ("none", unowned)] {
            self.cameras.get_or_create(&vec![("owner", owner.to_owned())]).set(number(count));
        }
    }
}
