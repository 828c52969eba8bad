//! Live video: passes what a capture process writes of a camera on to its viewers, with the detections of its frames.
//!
//! ```text
//!  capture process ── pipe ──▶ reader ──▶ state: newest group, viewers ──▶ backlog of each ──▶ WebSocket (`http`)
//!                                         detections of frames ─────────────┘
//! ```
//!
//! The daemon parses no video: it reads the heads of packets and passes bodies on. A camera is read only while somebody watches it.
//! A viewer who is slow loses frames up to the next keyframe and nobody else does; all viewers together are bounded in number
//! and in bytes a second. `state` decides, and is given `now`; `relay` and `reader` act.

mod budget;
mod reader;
mod relay;
mod state;
mod viewer_queue;

pub use crate::ipc::live_packets::{LiveHead, LivePacket};

pub use self::reader::read_packet;
pub use self::relay::{Relay, Viewer};
pub use self::state::{LiveLimits, NotShown};
pub use self::viewer_queue::Outgoing;
