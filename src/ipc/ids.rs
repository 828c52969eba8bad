//! Names of requests, regions and connections in messages.

use serde::{Deserialize, Serialize};

/// One request to a unit, unique among those of its pool (the units of one model).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// One region of slots; never used twice in a run of the daemon.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RegionId(pub u32);

/// One connection to a camera, among those of its capture process and of the processes that had its place before. Never
/// used twice, so that a late message of an earlier connection is recognised.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CameraIndex(pub u64);
