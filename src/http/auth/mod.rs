//! Who asks: signatures, and the keys that make them.

pub mod access_keys;
pub mod clock_rule;
pub mod replay_window;
pub mod sigv4;
