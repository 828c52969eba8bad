//! What is added to the reporter, and what others take from it.

use crate::appliance::reporter::Reporter;
use crate::clips::Clips;
use crate::control::event_pictures::EventPictures;
use crate::ipc::refused_calls::RefusedCalls;
use crate::live::Relay;
use crate::telemetry::log_queue::LogQueue;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::troubles::Troubles;
use std::sync::Arc;

impl Reporter {
    /// Adds the dropped lines of `log` to the metrics, and `troubles` to the box's problems.
    #[must_use]
    pub fn with_log(self, log: LogQueue, troubles: Troubles) -> Self {
        Self { log: Some(log), troubles, ..self }
    }

    /// Tells viewers of live video what is seen, and makes clips of events.
    #[must_use]
    pub(in crate::appliance) fn with_live(self, live: Relay, clips: Clips) -> Self {
        Self { live: Some(live), clips: Some(clips), ..self }
    }

    /// Where parts of the daemon say what is wrong with them.
    pub(in crate::appliance) fn troubles_of_parts(&self) -> Troubles {
        self.troubles.clone()
    }

    /// Where everything is counted.
    pub(in crate::appliance) fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// The pictures of the last events.
    pub fn pictures(&self) -> EventPictures {
        self.pictures.clone()
    }

    /// Adds the refused system calls of children to the metrics.
    #[must_use]
    pub(in crate::appliance) fn with_refused_calls(mut self, refused: RefusedCalls) -> Self {
        self.gauges.show_refused_calls(refused);
        self
    }

    /// The prefix of ids, new at each start of the daemon.
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }
}
