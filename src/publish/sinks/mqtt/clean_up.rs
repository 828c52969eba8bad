//! Clears what the broker retains of what this box no longer has: whole cameras, and labels of a camera.

use crate::publish::outgoing::{Inventory, States};
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::removed_cameras::{RemovedCameras, Step};
use crate::publish::sinks::mqtt::stale_labels::StaleLabels;
use crate::vision::monotonic::Monotonic;

/// Both clean-ups.
pub(super) struct CleanUp {
    removed_cameras: RemovedCameras,
    stale_labels: StaleLabels,
}

impl CleanUp {
    pub(super) fn new(prefix: &str, box_id: &str, inventory: &Inventory) -> Self {
        let removed_cameras = RemovedCameras::new(prefix, box_id, &inventory.cameras);
        let mut stale_labels = StaleLabels::new(prefix, box_id);
        stale_labels.labels_are(&inventory.labelled);
        Self { removed_cameras, stale_labels }
    }

    /// The box has other cameras, or a camera other labels.
    pub(super) fn inventory_is(&mut self, inventory: &Inventory, now: Monotonic) -> Vec<Step> {
        self.stale_labels.labels_are(&inventory.labelled);
        self.removed_cameras.cameras_are(&inventory.cameras, now)
    }

    pub(super) fn connected(&mut self, now: Monotonic) -> Vec<Step> {
        self.stale_labels.connected();
        self.removed_cameras.connected(now)
    }

    /// The connection is lost, with its subscriptions.
    pub(super) fn disconnected(&mut self) {
        self.stale_labels.disconnected();
        self.removed_cameras.disconnected();
    }

    /// Handles a message and returns the next steps; `None` if it is not about a camera of this box.
    pub(super) fn receive(&mut self, message: &Incoming, states: &States) -> Option<Vec<Step>> {
        self.stale_labels.receive(message, states).or_else(|| self.removed_cameras.receive(message))
    }

    /// Returns the steps that are due.
    pub(super) fn tick(&mut self, now: Monotonic) -> Vec<Step> {
        let mut steps = self.removed_cameras.tick(now);
        steps.extend(self.stale_labels.tick(now));
        steps
    }
}
