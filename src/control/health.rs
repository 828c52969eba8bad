//! The health of the box as clients are shown it: in `/api/status` and `ocelli status` as a whole, in parts elsewhere.
//!
//! It is made from an [`ApplianceStatus`] in one place, with what [`judge`] finds wrong. So the
//! command line, HTTP, systemd and MQTT cannot tell different stories.

mod parts;
mod stream;

pub use parts::{BrokerHealth, BrokerState, CameraHealth, ModelHealth, OutboxHealth, TroubleHealth};
pub use stream::{MainStreamHealth, StreamHealth};

use crate::control::health::parts::StatusClock;
use crate::control::judge;
use crate::control::status::ApplianceStatus;
use crate::os::clock::rfc3339_utc;
use crate::vision::health_status::HealthStatus;
use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The health of the box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoxHealth {
    /// The box's id.
    pub box_id: String,
    /// The version of ocelli.
    pub version: String,
    /// New at each start of the daemon.
    pub boot_id: String,
    /// What confines children: `sandbox.mode`, and what of it this kernel has.
    #[serde(default)]
    pub sandbox: String,
    /// When it was so: RFC 3339, UTC.
    pub at: String,
    /// False until the wall clock is known to be right. Times may then be wrong; seconds are not.
    pub clock_synced: bool,
    /// `ok` only if there are no reasons.
    pub status: HealthStatus,
    /// True if every model that is to run does, with all its units. A box may be ready and degraded.
    pub ready: bool,
    /// The box in one line.
    pub summary: String,
    /// Everything that is wrong, in sentences for the operator.
    pub reasons: Vec<String>,
    /// Units in service, of all models together.
    pub in_service_units: usize,
    /// Units that there should be.
    pub desired_units: usize,
    /// Cameras that stream.
    pub streaming_cameras: usize,
    /// Cameras that are not switched off.
    pub wanted_cameras: usize,
    /// The cameras by id.
    pub cameras: BTreeMap<String, CameraHealth>,
    /// The models by name.
    pub models: BTreeMap<String, ModelHealth>,
    /// The MQTT connection.
    pub broker: BrokerHealth,
    /// Stored events; absent if none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox: Option<OutboxHealth>,
    /// State files that cannot be written, in sentences for the operator.
    pub unwritten_files: Vec<String>,
    /// What went wrong last; absent if nothing did since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_trouble: Option<TroubleHealth>,
}

impl BoxHealth {
    /// The health that a status shows, `now` being at most a moment after it was made unless the event loop hangs.
    pub fn of(status: &ApplianceStatus, now: Monotonic) -> Self {
        let reasons = judge::reasons(status, now);
        let (streaming_cameras, wanted_cameras) = judge::streaming_of_wanted(status);
        let clock = StatusClock::new(status, now);
        Self {
            box_id: status.box_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: status.boot_id.clone(),
            sandbox: status.sandbox.clone(),
            at: rfc3339_utc(status.made_at_ms),
            clock_synced: status.clock_synced,
            status: HealthStatus::of(!reasons.is_empty()),
            ready: status.is_ready() && !judge::is_stale(status, now),
            summary: judge::summary(status, &reasons),
            reasons: reasons.into_iter().map(|reason| reason.text).collect(),
            in_service_units: status.units_in_service(),
            desired_units: status.units_desired(),
            streaming_cameras,
            wanted_cameras,
            cameras: status
                .cameras
                .iter()
                .map(|(id, view)| (id.to_string(), CameraHealth::of(status, view, &clock)))
                .collect(),
            models: status.models.iter().map(|(name, status)| (name.clone(), ModelHealth::of(status))).collect(),
            broker: BrokerHealth::of(status),
            outbox: status.outbox.as_ref().map(OutboxHealth::of),
            unwritten_files: status.unwritten.clone(),
            last_trouble: status.last_trouble.as_ref().map(|trouble| TroubleHealth::of(trouble, &clock)),
        }
    }
}

#[cfg(test)]
mod tests;
