//! What the operator sees: log lines, metrics, and the troubles of parts that run on their own.

mod buckets;
mod camera_metrics;
pub mod clip_metrics;
mod cluster_metrics;
mod event_metrics;
pub mod journal;
mod labels;
mod left_out;
pub mod live_metrics;
mod log_file;
pub mod log_queue;
pub mod logging;
pub mod main_stream_metrics;
pub mod metrics;
pub mod model_metrics;
mod mqtt_metrics;
pub mod node_metrics;
mod panics;
pub mod redactor;
pub mod settings;
pub mod stranger_metrics;
pub mod troubles;
pub mod visitor_metrics;
