//! IDs of requests, slot regions and camera connections in messages.

use serde::{Deserialize, Serialize};

/// One request to a unit, unique among those of its pool (the units of one model).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// One region of slots. Never reused while the daemon runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RegionId(pub u32);

/// One connection to a camera, unique within a capture process and the processes that it replaced. Never reused, so
/// that a late message of an earlier connection is recognised.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CameraIndex(pub u64);
