//! Health, readiness and metrics over HTTP, on loopback.

pub mod server;
pub mod settings;
