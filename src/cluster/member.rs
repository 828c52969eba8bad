//! Decides which of the cluster's cameras this box has, and what it asks of etcd.
//!
//! ```text
//!            planned here, nobody owns it: claim                      a higher epoch, or removed
//!  (none) ─────────────────────────────────────────▶ Owner{epoch} ──────────────────────────────▶ (none)
//!    │                                                   ▲
//!    └── planned here, another owns it ──▶ Ready ────────┘ it streams here: take over
//! ```
//! An owner whose lease is gone stays one, since a blind camera is worse than one that two boxes look at: what it publishes is
//! marked ([`Promise`](crate::cluster::promise::Promise)). It stops at a higher epoch, wherever it hears of that, or when
//! its time alone is up.

use crate::cluster::standing::Standing;
use crate::cluster::view::View;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What to ask of etcd.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Request {
    /// Become the owner of a camera that has none.
    Claim(CameraId),
    /// Become the owner of a camera in place of the claim of this epoch.
    TakeOver {
        /// The camera.
        camera: CameraId,
        /// The epoch of the present owner.
        epoch: u64,
    },
    /// Give a camera up that is no longer the cluster's.
    Release {
        /// The camera.
        camera: CameraId,
        /// The epoch of the own claim.
        epoch: u64,
    },
}

/// What a box knows when it decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation<'a> {
    /// What etcd holds; `None` while it cannot be reached.
    pub(super) view: Option<&'a View>,
    /// The highest epoch of each camera that the broker has told of, and that is not this box's own.
    pub(super) heard: &'a BTreeMap<CameraId, u64>,
    /// The cameras whose frames arrive here.
    pub(super) streaming: &'a BTreeSet<CameraId>,
    /// The cameras that this box cannot take.
    pub(super) impossible: &'a BTreeSet<CameraId>,
}

/// The box's part in the cluster.
#[derive(Debug)]
pub(super) struct Member {
    box_id: String,
    run: String,
    alone: Duration,
    cameras: BTreeMap<CameraId, Standing>,
    /// Since when etcd cannot be reached.
    alone_since: Option<Monotonic>,
}

impl Member {
    /// A box that has none yet. `run` is another one at each start; `alone` is how long it goes on without etcd.
    pub(super) fn new(box_id: &str, run: &str, alone: Duration) -> Self {
        let (box_id, run) = (box_id.to_owned(), run.to_owned());
        Self { box_id, run, alone, cameras: BTreeMap::new(), alone_since: None }
    }

    /// The cameras of the cluster that this box has.
    pub(super) fn cameras(&self) -> &BTreeMap<CameraId, Standing> {
        &self.cameras
    }

    /// Another box has this one's name, so that none of its claims is its own.
    pub(super) fn give_up_all(&mut self) {
        self.cameras.clear();
    }

    /// Decides anew, and returns what to ask of etcd. An answer comes with the next view.
    pub(super) fn decide(&mut self, situation: Situation<'_>, now: Monotonic) -> Vec<Request> {
        let Some(view) = situation.view else {
            self.heed_higher_epochs(situation.heard);
            let since = *self.alone_since.get_or_insert(now);
            if now.since(since) >= self.alone {
                self.cameras.clear();
            }
            return Vec::new();
        };
        self.alone_since = None;
        let mut requests = self.give_up_removed(view);
        for camera in view.cameras.keys() {
            requests.extend(self.decide_camera(camera, view, situation));
        }
        requests
    }

    /// Whoever claimed a camera later owns it, even if etcd cannot be asked. If it can, it alone decides: anybody may publish an epoch,
    /// and one of an etcd that was set up anew begins again.
    fn heed_higher_epochs(&mut self, heard: &BTreeMap<CameraId, u64>) {
        self.cameras.retain(|camera, standing| match standing {
            Standing::Ready => true,
            Standing::Owner { epoch, .. } => heard.get(camera).is_none_or(|higher| higher <= epoch),
        });
    }

    fn give_up_removed(&mut self, view: &View) -> Vec<Request> {
        self.cameras.retain(|camera, _| view.cameras.contains_key(camera));
        let own = view.owners.iter().filter(|(camera, _)| !view.cameras.contains_key(*camera));
        own.filter(|(_, kept)| self.is_own(&kept.value.box_id, &kept.value.run))
            .filter_map(|(camera, _)| {
                let (_, epoch) = view.owner(camera)?;
                Some(Request::Release { camera: camera.clone(), epoch })
            })
            .collect()
    }

    fn decide_camera(&mut self, camera: &CameraId, view: &View, situation: Situation<'_>) -> Option<Request> {
        let is_planned_here = view.plan.get(camera).is_some_and(|plan| plan.value.box_id == self.box_id)
            && !situation.impossible.contains(camera);
        match view.owner(camera) {
            Some((owner, epoch)) if self.is_own(&owner.box_id, &owner.run) => {
                if situation.impossible.contains(camera) {
                    self.cameras.remove(camera);
                    return Some(Request::Release { camera: camera.clone(), epoch });
                }
                self.cameras.insert(camera.clone(), Standing::Owner { epoch, since_ms: owner.at_ms });
                None
            }
            Some((_, epoch)) if is_planned_here => {
                // Whatever it was before, another box has claimed it since.
                self.cameras.insert(camera.clone(), Standing::Ready);
                let camera = camera.clone();
                situation.streaming.contains(&camera).then_some(Request::TakeOver { camera, epoch })
            }
            Some(_) => {
                self.cameras.remove(camera);
                None
            }
            None if is_planned_here => Some(Request::Claim(camera.clone())),
            None => {
                // An owner goes on until the box of the plan has claimed it.
                if self.cameras.get(camera) == Some(&Standing::Ready) {
                    self.cameras.remove(camera);
                }
                None
            }
        }
    }

    fn is_own(&self, box_id: &str, run: &str) -> bool {
        box_id == self.box_id && run == self.run
    }
}

#[cfg(test)]
mod tests;
