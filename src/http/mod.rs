//! Health, readiness and metrics over HTTP, on loopback.

pub mod client;
mod routes;
pub mod server;
pub mod settings;
