//! The process boundary: the messages between parent and children, and how they are sent.
//!
//! Independent of pipelines, models and policies. [`child_process`] spawns, watches and ends both kinds of children.

pub mod call_gate;
pub mod camera_source;
pub mod channel;
mod child_log;
mod child_memory;
pub mod child_process;
mod child_watch;
pub mod clip_format;
pub mod frame_slots;
pub mod heartbeat;
pub mod ids;
pub mod live_backlog;
pub mod live_packets;
pub mod load_model;
pub mod loss_kind;
pub mod messages;
pub mod quantize_messages;
mod refusals;
pub mod refused_calls;
pub mod restart_policy;
pub mod snapshot_messages;
pub mod socket_wish;
pub mod watch_messages;
