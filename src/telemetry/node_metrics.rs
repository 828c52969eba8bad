//! How many nodes of each model run on which execution provider, by zone.
//!
//! Zones and providers change, so series that are no longer reported are removed.

use crate::model::execution_provider::NodeCounts;
use crate::telemetry::labels::{Labels, integer};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(super) struct NodeMetrics {
    nodes: Family<Labels, Gauge>,
    /// By model.
    shown: Mutex<BTreeMap<String, BTreeSet<Labels>>>,
}

impl NodeMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Nodes of the model that an execution provider computes in each unit of a zone";
        registry.register("unit_nodes", help, self.nodes.clone());
    }

    /// `nodes` by zone.
    pub(super) fn set(&self, model: &str, nodes: &BTreeMap<String, NodeCounts>) {
        let mut reported = BTreeSet::new();
        for (zone, NodeCounts(by_provider)) in nodes {
            for (provider, count) in by_provider {
                let labels = vec![("model", model.to_owned()), ("zone", zone.clone()), ("provider", provider.clone())];
                self.nodes.get_or_create(&labels).set(integer(u64::from(*count)));
                reported.insert(labels);
            }
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for labels in shown.get(model).into_iter().flatten().filter(|labels| !reported.contains(*labels)) {
            self.nodes.remove(labels);
        }
        match reported.is_empty() {
            true => shown.remove(model),
            false => shown.insert(model.to_owned(), reported),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn a_provider_that_computes_no_more_is_not_shown() {
        let (metrics, mut registry) = (NodeMetrics::default(), Registry::with_prefix("ocelli"));
        metrics.register(&mut registry);
        let lines = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text.lines().filter(|line| line.starts_with("ocelli")).map(str::to_owned).collect::<Vec<_>>()
        };
        let on =
            |provider: &str, nodes| BTreeMap::from([("gpu-0".into(), NodeCounts([(provider.into(), nodes)].into()))]);
        metrics.set("m", &on("cuda", 160));
        metrics.set("other", &on("cpu", 7));
        let other = "ocelli_unit_nodes{model=\"other\",zone=\"gpu-0\",provider=\"cpu\"} 7";
        metrics.set("m", &on("cpu", 162));
        assert!(lines().contains(&"ocelli_unit_nodes{model=\"m\",zone=\"gpu-0\",provider=\"cpu\"} 162".to_owned()));
        assert_eq!(lines().len(), 2, "{:?}", lines());
        metrics.set("m", &BTreeMap::new());
        assert_eq!(lines(), [other]);
    }
}
