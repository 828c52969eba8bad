//! Authentication: signatures of requests, and the access keys that make them.

pub mod access_keys;
pub(super) mod bearer_token;
pub mod chunk_signer;
pub mod clock_rule;
pub mod payload;
pub mod replay_window;
pub mod signed_time_floor;
pub mod sigv4;
