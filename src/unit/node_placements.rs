//! Counts the nodes that ONNX Runtime assigns to each execution provider when it creates a session.
//!
//! The counts are parsed from ONNX Runtime's verbose log. Its API for this (`Session_GetEpGraphAssignmentInfo`) lists
//! the nodes of a model, but none of an ORT-format graph, from which nearly every unit starts (tested with 1.24 and
//! 1.28). A profile of the first inference names providers too, but it is a file, which a unit without a cache cannot
//! write, and it repeats the nodes of a loop in each iteration. The log lines appear once, for every kind of session: a
//! few for a cached graph, some hundred while a model is optimised, none during inference.
//!
//! If the wording of the log changes, the counts are unknown. That is never treated as a fallback to the CPU.

use crate::model::execution_provider::NodeCounts;
use ort::logging::LogLevel;
use ort::session::builder::{BuilderResult, SessionBuilder};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The node counts of the session being created.
#[derive(Clone, Debug, Default)]
pub(super) struct NodePlacements {
    logged: Arc<Mutex<Logged>>,
}

impl NodePlacements {
    /// Records the placements of the builder's session. Resets those of an earlier session.
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

    /// The number of computing nodes per provider. Empty if unknown.
    pub(super) fn counts(&self) -> NodeCounts {
        let logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = NodeCounts::default();
        logged.nodes.iter().filter(|(_, nodes)| **nodes > 0).for_each(|(provider, nodes)| counts.add(provider, *nodes));
        counts
    }
}

#[derive(Debug, Default)]
struct Logged {
    /// Node counts by ONNX Runtime's name of the provider.
    nodes: BTreeMap<String, u32>,
    /// The provider whose nodes the log lists now.
    listed: String,
}

impl Logged {
    /// If a graph uses several providers, each node is listed. Copies between devices do not count. The body of a loop
    /// is logged like a further graph.
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

/// Parses ` All nodes placed on [CPUExecutionProvider]. Number of nodes: 162`, or ` Node(s) placed on [...` for some.
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
