//! All that the outside can see of a running appliance, in one value.
//!
//! Whoever shows something (the terminal view, health, a report at the end) gets an
//! [`ApplianceStatus`] and never a lock, a unit or a camera.

use crate::admission::Ledger;
use crate::publish::message::CameraStateMessage;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// One camera at one moment.
#[derive(Clone, Debug)]
pub struct CameraView {
    /// As published.
    pub state: CameraStateMessage,
    /// How its frames ended.
    pub ledger: Ledger,
    /// Frames decoded since the daemon started.
    pub decoded: u64,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// What the newest analysed frame showed: labels and how many of each.
    pub seen: BTreeMap<String, u32>,
}

/// The appliance at one moment.
#[derive(Clone, Debug, Default)]
pub struct ApplianceStatus {
    /// By id.
    pub cameras: BTreeMap<CameraId, CameraView>,
    /// The model's name and version.
    pub model: String,
    /// Units there should be.
    pub units_desired: usize,
    /// Units that can be given work.
    pub units_in_service: usize,
    /// Unit processes started again since the daemon started.
    pub unit_restarts: u64,
    /// Capture processes started again since the daemon started.
    pub capture_restarts: u64,
    /// What the units in service can do, from measured service time.
    pub capacity_tps: f64,
    /// What they did over the last ten seconds.
    pub load_tps: f64,
    /// Frames that wait or are worked on.
    pub in_flight: u64,
    /// Slots of shared memory that are lent to units.
    pub lent_slots: u32,
    /// How often each label was seen since the daemon started.
    pub labels_seen: BTreeMap<String, u64>,
    /// Messages handed to the broker.
    pub published: u64,
    /// The broker is connected; `None` when MQTT is switched off.
    pub broker_connected: Option<bool>,
    /// What is not as it should be, for a person.
    pub degraded: Vec<String>,
    /// Process numbers of the units.
    pub unit_pids: Vec<u32>,
    /// Process numbers of the capture processes.
    pub capture_pids: Vec<u32>,
}

impl ApplianceStatus {
    /// The counts of all cameras together.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        for camera in self.cameras.values() {
            total.add(&camera.ledger);
        }
        total
    }

    /// True when every captured frame has ended or is in flight.
    pub fn ledger_closes(&self) -> bool {
        self.total().closes(self.in_flight)
    }
}
