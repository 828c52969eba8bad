//! What is served over HTTP: health, metrics and the native API on loopback, and the API that AWS SDKs know.
//!
//! Handlers translate requests for [`control`](crate::control). They hold no lock of the appliance and see no unit and no
//! camera.

pub mod auth;
pub mod body;
mod box_name;
pub mod client;
mod connections;
mod cpu_turns;
mod endpoint;
mod monitoring;
pub mod rekognition;
mod router;
mod routes;
pub mod server;
pub mod settings;
mod state;
pub(crate) mod tls;
