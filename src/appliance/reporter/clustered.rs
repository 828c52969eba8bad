//! Cameras of a cluster: what is published of them, and by whom.

use super::Reporter;
use super::cluster_marks::Voice;
use super::held_events::HeldEvent;
use crate::cluster::Standings;
use crate::os::clock::rfc3339_utc;
use crate::publish::cluster_link::{OwnerMessage, SCHEMA_OWNER};
use crate::publish::state_message::CameraStateMessage;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;

impl Reporter {
    /// Puts an event into the outbox, or holds it while another box publishes those of its camera.
    pub(super) fn event(&mut self, camera: &CameraId, held: HeldEvent, now: Monotonic) {
        match self.marks.claim(camera) {
            Err(()) => self.held.hold(camera, held),
            Ok(claim) => {
                let (HeldEvent { seq, event, package }, clips) = (held, self.clips.as_ref());
                self.events.record(seq, camera, (&event, clips), &package, claim, (self.clock_synced, now));
            }
        }
    }

    /// Takes over the standings of the cluster's cameras. What this box publishes from now on is told anew: who owns it, what is in view, its
    /// labels, counts and picture.
    pub(in crate::appliance) fn set_standings(&mut self, standings: Standings, now: Monotonic) {
        let (owned, silenced) = self.marks.set(standings);
        for camera in silenced {
            if let Some(publisher) = &mut self.publisher {
                publisher.withdraw(&camera);
            }
        }
        if !owned.is_empty() {
            self.tell_owners();
        }
        for camera in owned {
            self.state_reports.forget(&camera);
            if let (Some(publisher), Some(told)) = (&mut self.publisher, self.told.get(&camera)) {
                told.tell(&camera, publisher, self.marks.comment(&camera));
            }
            for mut held in self.held.take(&camera) {
                // It begins for subscribers with the claim: before it, the other box's events count.
                held.event.at = now;
                self.event(&camera, held, now);
            }
        }
        let Self { marks, held, .. } = self;
        held.keep(|camera| marks.voice(camera) == Voice::Silent);
    }

    /// Publishes who owns the cluster's cameras of this box.
    pub(super) fn tell_owners(&self) {
        self.tell_owner(Some(&self.identity.box_id));
    }

    /// Publishes that nobody looks at the cluster's cameras of this box, which stops. Whoever claims one tells it.
    pub(super) fn tell_no_owners(&self) {
        self.tell_owner(None);
    }

    fn tell_owner(&self, box_id: Option<&String>) {
        let Some(publisher) = &self.publisher else { return };
        for (camera, epoch, since_ms) in self.marks.owned() {
            let message = OwnerMessage {
                schema: SCHEMA_OWNER,
                cluster: self.marks.cluster().to_owned(),
                camera: camera.to_string(),
                box_id: box_id.cloned(),
                epoch,
                since: rfc3339_utc(since_ms),
            };
            publisher.set_owner(camera, &message);
        }
    }

    /// True if this box publishes what is retained of a camera.
    pub(super) fn publishes(&self, camera: &CameraId) -> bool {
        self.marks.voice(camera) != Voice::Silent
    }

    /// A camera's state with what is said of its claim; `None` while another box publishes it.
    pub(super) fn marked_state(&self, camera: &CameraId, state: &CameraStateMessage) -> Option<CameraStateMessage> {
        match self.marks.voice(camera) {
            Voice::Own => Some(state.clone()),
            Voice::Owner(mark) => Some(CameraStateMessage {
                box_id: Some(self.identity.box_id.clone()),
                epoch: Some(mark.epoch),
                owner_uncertain: mark.is_uncertain,
                ..state.clone()
            }),
            Voice::Silent => None,
        }
    }
}
