//! Calls between the boxes of a cluster: what one refuses for want of room goes once to another.
//!
//! ```text
//!  caller ─▶ box A: no room ─▶ RefusedImage ─▶ handing_on ══mutual TLS══▶ taking ─▶ box B's units
//!                                                 ◀═══════ HandedReply ═══════
//! ```
//! The image crosses as it is, with how to look at it and how long its caller still waits. The signature was checked at A, and A
//! writes the answer that its caller expects. What came from another box is never handed on.

mod books;
mod connections;
mod handing_on;
mod message;
mod taking;
mod tls;

pub use handing_on::hand_on;
pub use taking::take;
pub use tls::{PeerTls, PeerTlsError};
