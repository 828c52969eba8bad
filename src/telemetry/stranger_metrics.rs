//! Metrics of what others send, and of what is not accepted: requests and system calls that are refused, log lines that are
//! left out, logins.

use crate::telemetry::labels::{Counters, integer};
use crate::telemetry::visitor_metrics::VisitorMetrics;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The reasons for which a request is refused before its route sees it.
const REASONS: [&str; 7] = ["host", "origin", "token", "login", "role", "own_child", "signature"];

/// The series of all listeners.
#[derive(Debug, Default)]
pub struct StrangerMetrics {
    refused: Counters,
    calls_refused: Counters,
    left_out: Gauge,
    visitors: VisitorMetrics,
}

impl StrangerMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests and connections refused for their Host, Origin, token, login, role, sender or signature";
        registry.register("http_refused", help, self.refused.clone());
        let help = "System calls that were refused to children, by kind";
        registry.register("child_calls_refused", help, self.calls_refused.clone());
        let help = "Lines that others could repeat without end and that the log left out";
        registry.register("log_lines_left_out", help, self.left_out.clone());
        self.visitors.register(registry);
        for reason in REASONS {
            drop(self.refused.get_or_create(&vec![("reason", reason.to_owned())]));
        }
    }

    /// Counts a request that was refused for one of the reasons of this file.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    /// The metrics of the people at the page.
    pub fn visitors(&self) -> &VisitorMetrics {
        &self.visitors
    }

    /// Sets how many system calls of a kind of children were refused since the start.
    pub fn calls_refused(&self, kind: &'static str, count: u64) {
        let counter = self.calls_refused.get_or_create(&vec![("kind", kind.to_owned())]);
        counter.inc_by(count.saturating_sub(counter.get()));
    }

    /// Sets how many log lines were left out since the start.
    pub fn lines_left_out(&self, lines: u64) {
        self.left_out.set(integer(lines));
    }
}
