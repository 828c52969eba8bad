//! Snapshot requests from the parent to a capture process, and the replies.
//!
//! A JPEG is longer than a packet, so the parent sends the writable descriptor of a one-slot region with the request.
//! The reply contains the JPEG's length. As with frames, the parent owns the memory and its size is sealed, so a
//! misbehaving child cannot harm it.

use crate::ipc::ids::CameraIndex;
use crate::vision::frame::Picture;
use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use crate::vision::picture_source::PictureSource;
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
    /// When the frame arrived.
    pub captured_at: Monotonic,
    /// Where a better picture of that moment may be; absent if the camera has one stream, or its main one is not connected.
    pub main: Option<MainOrder>,
    /// Boxes to draw on the picture.
    pub boxes: Vec<NormalizedBox>,
    /// A wider picture is scaled down to this width.
    pub max_width_px: u32,
    /// JPEG quality as in libjpeg, 1..=100.
    pub quality: u8,
    /// For a longer JPEG, quality is reduced first, then size. At most [`MAX_SNAPSHOT_BYTES`].
    pub max_bytes: u32,
}

/// A request to show the nearest keyframe of the main stream in place of the frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MainOrder {
    /// The connection of the main stream, as `OpenMain` numbered it.
    pub camera: CameraIndex,
    /// A wider picture is scaled down to this width.
    pub max_width_px: u32,
    /// The longest time between the arrivals of the frame and of the keyframe. If none is so near, the frame is shown.
    pub max_offset_ms: u32,
}

/// A JPEG that lies in the region of its order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SnapshotMade {
    /// At most [`MAX_SNAPSHOT_BYTES`].
    pub bytes: u32,
    /// What it shows.
    pub source: PictureSource,
}

/// The reply to a [`SnapshotOrder`]; there is exactly one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SnapshotAnswer {
    /// From the request.
    pub id: SnapshotId,
    /// The JPEG, or why there is none, for the operator.
    pub result: Result<SnapshotMade, String>,
}
