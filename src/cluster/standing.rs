//! In which standing a box has a camera of the cluster.

use crate::cluster::promise::Promise;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// The standing of one camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is received and looked at already, and another box publishes: this one takes over without a gap.
    Ready,
    /// This box publishes.
    Owner {
        /// The revision of etcd at which this box claimed the camera.
        epoch: u64,
        /// Wall time of the claim, in milliseconds since 1970.
        since_ms: i64,
    },
}

/// What is said with everything that is published of a camera of the cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    /// The epoch in which it was seen.
    pub epoch: u64,
    /// Another box may have claimed the camera since, and this one could not hear of it.
    pub is_uncertain: bool,
}

/// The cameras of the cluster that this box has.
#[derive(Clone, Debug, Default)]
pub struct Standings {
    /// The name of the cluster: the level of topics below which its cameras are.
    pub cluster: String,
    /// Until when this box counts as the owner.
    pub promise: Promise,
    /// Those that it has.
    pub cameras: BTreeMap<CameraId, Standing>,
}

impl Standings {
    /// True if it is a camera of the cluster.
    pub fn has(&self, camera: &CameraId) -> bool {
        self.cameras.contains_key(camera)
    }

    /// True unless another box publishes what is seen of it.
    pub fn publishes(&self, camera: &CameraId) -> bool {
        self.cameras.get(camera) != Some(&Standing::Ready)
    }

    /// What is said now with what is published of a camera; `None` for one of the box's own.
    pub fn mark(&self, camera: &CameraId) -> Option<Mark> {
        match self.cameras.get(camera)? {
            Standing::Ready => None,
            Standing::Owner { epoch, .. } => {
                Some(Mark { epoch: *epoch, is_uncertain: !self.promise.holds_for(*epoch) })
            }
        }
    }

    /// The level of a camera's topics.
    pub fn level<'a>(&'a self, camera: &CameraId, box_id: &'a str) -> &'a str {
        if self.has(camera) { &self.cluster } else { box_id }
    }
}
