//! Turns outcomes and states into the messages of the MQTT contract and hands them to the sinks.

pub mod commands;
pub mod event;
pub mod message;
pub mod outbox;
pub mod publisher;
pub mod sinks;
