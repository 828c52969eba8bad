//! Snapshot requests from the parent to a capture process, and the replies.
//!
//! A JPEG is longer than a packet, so the parent sends the writable descriptor of a one-slot region with the request.
//! The reply contains the JPEG's length. As with frames, the parent owns the memory and its size is sealed, so a
//! misbehaving child cannot harm it.

use crate::ipc::ids::CameraIndex;
use crate::vision::frame::Picture;
use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// The longest JPEG. It must fit into one MQTT packet of at most 1 MiB, with its topic.
pub const MAX_SNAPSHOT_BYTES: usize = 1_000_000;

/// One snapshot. Never reused while the daemon runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct SnapshotId(pub u64);

/// A request for a JPEG of a frame whose slot the parent still holds. The parent may send `Release` right after it: the
/// capture process copies the frame before it reads the next message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotOrder {
    /// Repeated in the reply.
    pub id: SnapshotId,
    /// The connection, as `Open` numbered it.
    pub camera: CameraIndex,
    /// Index of the frame's slot in the camera's region.
    pub slot: u16,
    /// Format and size of the frame.
    pub picture: Picture,
    /// Boxes to draw on the picture.
    pub boxes: Vec<NormalizedBox>,
    /// A wider picture is scaled down to this width.
    pub max_width_px: u32,
    /// JPEG quality as in libjpeg, 1..=100.
    pub quality: u8,
    /// For a longer JPEG, quality is reduced first, then size. At most [`MAX_SNAPSHOT_BYTES`].
    pub max_bytes: u32,
}

/// The reply to a [`SnapshotOrder`]; there is exactly one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SnapshotAnswer {
    /// From the request.
    pub id: SnapshotId,
    /// Length in bytes of the JPEG in the region, or why there is none, for the operator.
    pub result: Result<u32, String>,
}
