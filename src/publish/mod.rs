//! Builds the messages of the MQTT contract from outcomes and states, and passes them to the sinks.

pub mod broker_status;
pub mod cluster_link;
pub mod command_message;
pub mod commands;
pub mod event;
pub mod home_assistant;
pub mod jpeg_comment;
pub mod label_counts;
pub mod label_level;
mod label_topics;
pub mod message;
pub mod outbox;
mod outgoing;
pub mod publisher;
#[cfg(test)]
mod schemas;
pub mod sinks;
pub mod state_message;
