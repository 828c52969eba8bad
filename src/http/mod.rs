//! What is served over HTTP: health, metrics and the native API on loopback, and the API that AWS SDKs know.
//!
//! Handlers translate and ask `control`; they see no unit, no lock and no camera.

pub mod auth;
pub mod body;
pub mod client;
mod connections;
mod cpu_turns;
pub mod rekognition;
mod routes;
pub mod server;
pub mod settings;
mod tls;
mod watched_body;
