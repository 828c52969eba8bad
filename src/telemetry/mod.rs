//! What the operator sees: log lines and metrics.

mod event_metrics;
mod labels;
pub mod logging;
pub mod metrics;
pub mod model_metrics;
pub mod node_metrics;
pub mod settings;
