//! A site gets its power back: the first box that is up must not be given the cameras of all that still boot.
//!
//! Hundreds of streams started at once on one box would exhaust its memory, and the others would have nothing to do.

use crate::cluster::placer::input::BoxState;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long cameras wait for boxes that a new placer has not seen yet.
pub(super) const WAIT: Duration = Duration::from_secs(20);

/// The boxes that are waited for. Only a new placer waits, and only while more than half of all boxes are missing: one
/// of two, or one of three, has died and is not waited for.
#[derive(Debug, Default)]
pub(super) struct PowerReturn {
    until: Option<Monotonic>,
    missing: BTreeSet<String>,
}

impl PowerReturn {
    /// Counts the boxes that the plan names and that are not there.
    pub(super) fn look(
        &mut self,
        boxes: &BTreeMap<String, BoxState>,
        plan: &BTreeMap<CameraId, String>,
        now: Monotonic,
    ) {
        if self.until.is_none() {
            self.missing = plan.values().cloned().collect();
        }
        let until = *self.until.get_or_insert(now + WAIT);
        self.missing.retain(|name| !boxes.contains_key(name));
        let is_most = self.missing.len() > boxes.len();
        if !is_most || now >= until {
            self.missing.clear();
        }
    }

    /// True if cameras of this box stay with it for now.
    pub(super) fn waits_for(&self, name: &str) -> bool {
        self.missing.contains(name)
    }
}
