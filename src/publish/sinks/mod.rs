//! Where results go: one file or folder a sink.

pub mod mqtt;
