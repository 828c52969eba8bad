//! Health and metrics over HTTP.

pub mod settings;
