//! Cameras that mean harm: what they answer, what they send, and what each costs the box and its other cameras.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, reason = "each test file uses its part")]

pub mod answers;
pub mod bits;
pub mod clips;
pub mod cost;
pub mod mutation;
pub mod server;
pub mod streams;
