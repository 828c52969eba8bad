//! The process boundary: what parent and children say to each other, and how.
//!
//! Parses no pixel and knows no pipeline, model or policy. Both kinds of children are spawned,
//! watched and ended by the one mechanism of [`child_process`].

pub mod channel;
pub mod child_process;
pub mod frame_slots;
pub mod heartbeat;
pub mod ids;
pub mod load_model;
pub mod messages;
pub mod restart_policy;
pub mod snapshot_messages;
