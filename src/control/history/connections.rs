//! How each camera was connected and lost, as it happened.

use crate::control::status::{ApplianceStatus, CameraView};
use crate::vision::camera_status::CameraStatus;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Changes that are kept of a camera.
pub const MOST_CHANGES: usize = 24;

/// A camera has come into another state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionChange {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The state from then on.
    pub state: CameraStatus,
    /// Why it is not streaming, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The changes of all cameras, the oldest first. A camera that is removed from the settings is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Connections(BTreeMap<String, VecDeque<ConnectionChange>>);

impl Connections {
    pub(super) fn watch(&mut self, status: &ApplianceStatus) {
        let is_known = |id: &String| status.cameras.keys().any(|camera| camera.as_str() == id);
        if self.0.len() > status.cameras.len() || !self.0.keys().all(is_known) {
            self.0.retain(|id, _| is_known(id));
        }
        for (id, CameraView { state, .. }) in &status.cameras {
            let is_same = |last: &ConnectionChange| last.state == state.state && last.reason == state.reason;
            if self.0.get(id.as_str()).and_then(VecDeque::back).is_some_and(is_same) {
                continue;
            }
            let changes = self.0.entry(id.to_string()).or_default();
            if changes.len() == MOST_CHANGES {
                changes.pop_front();
            }
            let (at_ms, reason) = (status.made_at_ms, state.reason.clone());
            changes.push_back(ConnectionChange { at_ms, state: state.state, reason });
        }
    }
}
