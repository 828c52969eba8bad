//! A raw RTSP server with one quirk a path, on nothing but the standard library's sockets and threads.
//!
//! [`rows`] is the table of what must be reported of each. No GStreamer speaks here, so that the server may be as wrong
//! as cameras are; only the clips come from its encoders.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it belongs to one test file"
)]

pub mod answers;
pub mod connection;
pub mod drive;
pub mod footage;
pub mod hostile;
pub mod login;
pub mod quirk;
pub mod request;
pub mod rows;
pub mod rtp;
pub mod sdp;
pub mod server;
pub mod stream;
pub mod tls_front;
