//! Keeps the inference units running and hands them work.

pub mod settings;
