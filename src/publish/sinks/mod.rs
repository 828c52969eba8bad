//! Where results go: one file a sink.

pub mod mqtt_settings;
