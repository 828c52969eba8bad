//! Which provider each node of a session's graph was given to, as ONNX Runtime says while it makes the session.
//!
//! It says so in log lines of the level *verbose*, and this reads them. ONNX Runtime has an interface for it
//! (`Session_GetEpGraphAssignmentInfo`), which knows the nodes of a model and none of an ORT-format graph, and nearly
//! every unit starts from one of those (measured with 1.24 and 1.28). A profile of the first inference names providers
//! too, but is a file, for which a unit without a cache has no place, and repeats the nodes of a loop each time around.
//! The lines come once, for every kind of session: a handful where the graph is cached, some hundred where a model is
//! optimised. Inferences log none.
//!
//! A session whose lines are worded otherwise has unknown counts, which is never taken for a fallback.

use crate::model::execution_provider::NodeCounts;
use ort::logging::LogLevel;
use ort::session::builder::{BuilderResult, SessionBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The placements of the session that is being made.
#[derive(Clone, Debug, Default)]
pub(super) struct NodePlacements {
    logged: Arc<Mutex<Logged>>,
}

impl NodePlacements {
    /// Records the placements of the builder's session, and forgets those of an earlier one.
    pub(super) fn listen(&self, builder: SessionBuilder) -> BuilderResult {
        *self.logged.lock().unwrap_or_else(PoisonError::into_inner) = Logged::default();
        let logged = Arc::clone(&self.logged);
        let logger = move |level: LogLevel, _: &str, _: &str, location: &str, message: &str| match level {
            LogLevel::Verbose => logged.lock().unwrap_or_else(PoisonError::into_inner).line(message),
            LogLevel::Error | LogLevel::Fatal => tracing::error!(location, "{message}"),
            LogLevel::Info | LogLevel::Warning => {}
        };
        builder.with_logger(Arc::new(logger))?.with_log_level(LogLevel::Verbose)
    }

    /// The computing nodes of each provider; empty when ONNX Runtime logged nothing.
    pub(super) fn counts(&self) -> NodeCounts {
        let logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = NodeCounts::default();
        logged.nodes.iter().filter(|(_, nodes)| **nodes > 0).for_each(|(provider, nodes)| counts.add(provider, *nodes));
        counts
    }
}

#[derive(Debug, Default)]
struct Logged {
    /// By ONNX Runtime's name of the provider.
    nodes: BTreeMap<String, u32>,
    /// The provider whose nodes are being listed.
    listed: String,
}

impl Logged {
    /// A graph that is spread over providers is listed node by node; those that only carry tensors between devices
    /// compute nothing. The graph in the body of a loop is logged like one more graph.
    fn line(&mut self, message: &str) {
        if let Some((provider, nodes)) = placed(message) {
            let count = self.nodes.entry(provider.to_owned()).or_default();
            *count = count.saturating_add(nodes);
            provider.clone_into(&mut self.listed);
        } else if message.starts_with("  MemcpyToHost (") || message.starts_with("  MemcpyFromHost (") {
            let count = self.nodes.entry(self.listed.clone()).or_default();
            *count = count.saturating_sub(1);
        }
    }
}

/// ` All nodes placed on [CPUExecutionProvider]. Number of nodes: 162`, or ` Node(s) placed on [...` for a part of them.
fn placed(message: &str) -> Option<(&str, u32)> {
    let rest =
        message.strip_prefix(" All nodes placed on [").or_else(|| message.strip_prefix(" Node(s) placed on ["))?;
    let (provider, nodes) = rest.split_once("]. Number of nodes: ")?;
    Some((provider, nodes.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> String {
        let placements = NodePlacements::default();
        lines.iter().for_each(|line| placements.logged.lock().unwrap().line(line));
        placements.counts().to_string()
    }

    #[test]
    fn nodes_are_counted_as_onnx_runtime_lists_them() {
        let whole = ["Node placements", " All nodes placed on [CPUExecutionProvider]. Number of nodes: 162"];
        assert_eq!(counted(&whole), "cpu 162");
        let parts = [
            "Node placements",
            " Node(s) placed on [OpenVINOExecutionProvider]. Number of nodes: 2",
            "  OpenVINO-EP-subgraph_1 (OpenVINOExecutionProvider_OpenVINO-EP-subgraph_1_0)",
            "  OpenVINO-EP-subgraph_2 (OpenVINOExecutionProvider_OpenVINO-EP-subgraph_2_1)",
            " Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1",
            "  Det ()",
            "Done saving OrtValue mappings.",
        ];
        assert_eq!(counted(&parts), "cpu 1, openvino 2");
    }

    #[test]
    fn copies_between_devices_are_not_counted_and_bodies_of_loops_are() {
        let lines = [
            " Node(s) placed on [CUDAExecutionProvider]. Number of nodes: 3",
            "  Conv (MemcpyToHost)",
            "  MemcpyFromHost (Memcpy)",
            "  MemcpyToHost (Memcpy_token_1)",
            " Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1",
            "  Loop (loop)",
            " All nodes placed on [CPUExecutionProvider]. Number of nodes: 4",
        ];
        assert_eq!(counted(&lines), "cpu 5, cuda 1");
        let only_copies =
            [lines[4], lines[5], " Node(s) placed on [CUDAExecutionProvider]. Number of nodes: 1", lines[2]];
        assert_eq!(counted(&only_copies), "cpu 1");
        assert_eq!(counted(&["placed elsewhere"]), "unknown");
    }
}
