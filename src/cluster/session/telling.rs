//! What a session tells the appliance and the operator.

use super::Session;
use crate::cluster::peers::Peers;
use crate::cluster::records::CameraRecord;
use crate::cluster::report::Assignment;
use crate::cluster::status::ClusterStatus;
use crate::cluster::view::Kept;
use crate::os::clock::monotonic_now;
use crate::vision::camera_id::CameraId;
use std::sync::Arc;

impl Session {
    /// Tells the appliance and the operator.
    pub(super) fn tell(&mut self) {
        if let Some(view) = &self.view {
            let assignment =
                |kept: &Kept<CameraRecord>| Assignment { record: kept.value.clone(), revision: kept.revision };
            let same = |(id, kept): (&CameraId, &Kept<CameraRecord>)| {
                self.known.get(id).is_some_and(|known| known.revision == kept.revision)
            };
            if self.known.len() != view.cameras.len() || !view.cameras.iter().all(same) {
                self.known = Arc::new(view.cameras.iter().map(|(id, kept)| (id.clone(), assignment(kept))).collect());
            }
        }
        let (cameras, known) = (self.member.cameras(), &self.known);
        self.assigned.send_if_modified(|assigned| {
            let is_new = assigned.standings.cameras != *cameras || !Arc::ptr_eq(&assigned.cameras, known);
            if is_new {
                assigned.standings.cameras.clone_from(cameras);
                assigned.cameras = Arc::clone(known);
            }
            is_new
        });
        self.tell_peers();
        let status = self.status_now();
        self.status.send_if_modified(|shown| {
            let is_new = *shown != status;
            if is_new {
                *shown = status;
            }
            is_new
        });
    }

    /// What is older than a lease is not told any more: those boxes may be gone.
    fn tell_peers(&mut self) {
        let now = monotonic_now();
        let peers = match &self.view {
            Some(view) => {
                self.seen_at = now;
                Peers::of(view, &self.box_id)
            }
            None if now.since(self.seen_at) > self.settings.lease() => Peers::default(),
            None => return,
        };
        self.peers.send_if_modified(|told| {
            let is_new = *told != peers;
            *told = peers;
            is_new
        });
    }

    fn status_now(&self) -> ClusterStatus {
        let mut status = match &self.view {
            Some(view) => ClusterStatus::of(&self.settings.name, view),
            // What was true last, for whoever looks while etcd is away.
            None => ClusterStatus { troubles: Vec::new(), ..self.status.borrow().clone() },
        };
        status.etcd = self.etcd.clone();
        (status.moves, status.move_counts) = (self.moves.newest(), self.moves.counts());
        if let Some(reason) = &self.etcd.reason {
            let own = self.member.cameras().len();
            status.troubles.push(format!(
                "the cluster's etcd cannot be reached at {}: {reason}; this box goes on with its {own} cameras of the cluster, and no box can \
                 take one over",
                self.etcd.endpoint
            ));
        }
        status.troubles.extend(self.unplaced.iter().map(|(camera, why)| format!("camera {camera}: {why}")));
        if let Some(other) = self.namesake() {
            status.troubles.push(other);
        }
        status
    }
}
