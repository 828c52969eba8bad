//! Cameras that others wrote, and footage of every kind: what is served, by whom, and what must be reported of it.
//!
//! [`footage`] goes over GStreamer's RTSP server, which the set-up installs anyway; [`servers`] are those that
//! `setup/cameras.sh` installs for `make cameras`.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it belongs to one test file"
)]

pub mod case;
pub mod clips;
pub mod footage;
pub mod servers;
pub mod table;
pub mod watch;
