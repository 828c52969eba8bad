//! A site gets its power back, or etcd is back after it was away: the first box that is there must not be given the cameras of all
//! that are about to come.
//!
//! Hundreds of streams started at once on one box would exhaust its memory, and the others would have nothing to do.

use crate::cluster::placer::input::BoxState;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long cameras wait for boxes that a new placer has not seen yet.
pub(super) const WAIT: Duration = Duration::from_secs(20);

/// How long they wait when etcd was away for longer than the leases: boxes that go on without it are heard of again within seconds.
pub(super) const WAIT_FOR_EACH: Duration = Duration::from_secs(10);

/// The boxes that are waited for.
///
/// A new placer waits only while more than half of all boxes are missing: one of two, or one of three, has died and is not waited for.
/// After etcd was away every box of the plan is waited for: none of them has a lease any more, and that says nothing of them.
#[derive(Debug, Default)]
pub(super) struct ReturnWait {
    until: Option<Monotonic>,
    missing: BTreeSet<String>,
    for_each: bool,
}

impl ReturnWait {
    /// Etcd is back after this box's lease has ended, and with it those of the others.
    pub(super) fn begin_for_each(&mut self, plan: &BTreeMap<CameraId, String>, now: Monotonic) {
        (self.until, self.for_each) = (Some(now + WAIT_FOR_EACH), true);
        self.missing = plan.values().cloned().collect();
    }

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
        let is_worth_it = self.for_each || self.missing.len() > boxes.len();
        if !is_worth_it || now >= until {
            self.missing.clear();
        }
    }

    /// True if cameras of this box stay with it for now.
    pub(super) fn waits_for(&self, name: &str) -> bool {
        self.missing.contains(name)
    }
}
