//! Those who mean harm: what cameras, brokers and clients send, what is in models, and what each costs the box and its other
//! cameras.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, reason = "each test file uses its part")]

pub mod answers;
pub mod bits;
pub mod broker;
pub mod clients;
pub mod clips;
pub mod cost;
pub mod models;
pub mod mutation;
pub mod server;
pub mod sockets;
pub mod streams;
