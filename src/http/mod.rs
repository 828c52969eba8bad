//! What is served over HTTP: health, metrics, the native API and the web page on loopback and over a Unix socket, and the
//! API that AWS SDKs know.
//!
//! Handlers translate requests for [`control`](crate::control). They hold no lock of the appliance and see no unit and no
//! camera.

pub mod auth;
pub mod body;
mod box_name;
mod byte_range;
pub mod client;
mod connections;
mod cpu_turns;
mod door;
mod endpoint;
mod file_body;
pub mod known_pages;
pub mod local_token;
pub mod login;
mod monitoring;
mod pace;
mod page;
pub mod peers;
mod place;
pub mod rekognition;
mod router;
mod routes;
pub mod s3;
mod same_origin;
pub mod server;
pub mod settings;
mod state;
pub(crate) mod tls;
