//! The destinations of results: one file or folder per sink.

pub mod mqtt;
