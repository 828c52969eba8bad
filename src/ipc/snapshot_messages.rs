//! What parent and capture process say to each other about snapshots.
//!
//! A JPEG is longer than a packet. So the parent sends the writable descriptor of a region of one slot beside the
//! order, and the answer says how many bytes lie there: as with frames, the parent owns the memory, and trusts its
//! size and seals whatever the other side does.

use crate::ipc::ids::CameraIndex;
use crate::vision::frame::Picture;
use crate::vision::geometry::NormalizedBox;
use serde::{Deserialize, Serialize};

/// The longest JPEG. It goes into one MQTT packet, and 1 MiB is the longest of those: this leaves room for its topic.
pub const MAX_SNAPSHOT_BYTES: usize = 1_000_000;

/// One snapshot; never used twice in a run of the daemon.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct SnapshotId(pub u64);

/// A JPEG of a frame whose slot is still lent. The slot may be given back right behind this message: the frame is
/// taken out of it before the next message is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotOrder {
    /// Named in the answer.
    pub id: SnapshotId,
    /// Whose slot.
    pub camera: CameraIndex,
    /// Which.
    pub slot: u16,
    /// What lies there.
    pub picture: Picture,
    /// Drawn on it; none: the bare picture.
    pub boxes: Vec<NormalizedBox>,
    /// It is scaled down to so many pixels a row.
    pub max_width_px: u32,
    /// As libjpeg counts it, 1..=100.
    pub quality: u8,
    /// A JPEG that is longer is made coarser, then smaller; at most [`MAX_SNAPSHOT_BYTES`].
    pub max_bytes: u32,
}

/// The one answer to an order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SnapshotAnswer {
    /// From the order.
    pub id: SnapshotId,
    /// How many bytes of JPEG lie in the region; or, in a person's words, why there are none.
    pub result: Result<u32, String>,
}
