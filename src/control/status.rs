//! The status of the appliance as its event loop knows it. Nothing here judges; [`judge`](crate::control::judge) says
//! what is wrong, and [`health`](crate::control::health) is what clients are shown.

use crate::admission::Ledger;
use crate::control::frame_rates::FrameRates;
use crate::control::trouble_watch::Trouble;
use crate::metering::HourRow;
use crate::publish::broker_status::BrokerStatus;
use crate::publish::message::CameraStateMessage;
use crate::publish::outbox::OutboxStatus;
use crate::publish::state_message::MainStreamMessage;
use crate::supervisor::{ModelState, ModelStatus};
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::collections::BTreeMap;

/// A snapshot of one camera's status.
#[derive(Clone, Debug)]
pub struct CameraView {
    /// Its state as published.
    pub state: CameraStateMessage,
    /// Since when it has been streaming, or not.
    pub since: Monotonic,
    /// The model that looks at its frames.
    pub model: String,
    /// How its frames ended.
    pub ledger: Ledger,
    /// What became of everything that it sent since the daemon started.
    pub counts: StreamCounts,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// Frames a second, decoded and analysed.
    pub rates: FrameRates,
    /// Its main stream, if it is not the analysed one.
    pub main: Option<MainStreamView>,
    /// Parts of its picture are black in snapshots, so that it has no video to show.
    pub is_blacked_out: bool,
    /// Labels that its scene lists and its model does not have: nothing of them is ever seen.
    pub unknown_labels: Vec<String>,
    /// The number of objects of each label in the newest analysed frame.
    pub seen: BTreeMap<String, u32>,
}

/// A snapshot of the status of a camera's main stream.
#[derive(Clone, Debug)]
pub struct MainStreamView {
    /// Its state as published.
    pub state: MainStreamMessage,
    /// Since when it has been streaming, or not.
    pub since: Monotonic,
    /// What became of everything that came over it since the daemon started.
    pub counts: StreamCounts,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// Frames a second that arrive.
    pub rates: FrameRates,
}

/// A snapshot of the appliance's status.
#[derive(Clone, Debug, Default)]
pub struct ApplianceStatus {
    /// The box's id.
    pub box_id: String,
    /// New at each start of the daemon.
    pub boot_id: String,
    /// What confines children: the mode of the settings, and what of it this kernel has.
    pub sandbox: String,
    /// When the event loop made this status; `None` until it has made its first one.
    pub made_at: Option<Monotonic>,
    /// The wall time of `made_at`, in milliseconds since 1970.
    pub made_at_ms: i64,
    /// True if the wall clock is known to be right.
    pub clock_synced: bool,
    /// The cameras by id.
    pub cameras: BTreeMap<CameraId, CameraView>,
    /// The models by name.
    pub models: BTreeMap<String, ModelStatus>,
    /// Inference hours of this month by model and version.
    pub inference_hours: BTreeMap<(String, String), f64>,
    /// The month of `inference_hours`, as `2026-11`; `None` until what is stored of it is among them.
    pub hours_month: Option<String>,
    /// Rows of this month that the disk does not have yet, or not as they are.
    pub(crate) unstored_hours: Vec<HourRow>,
    /// Restarts of capture processes since the daemon started.
    pub capture_restarts: u64,
    /// Frames and images that wait or are being analysed.
    pub in_flight: u64,
    /// Slots of shared memory that are lent to units.
    pub lent_slots: u32,
    /// Detections of each label since the daemon started.
    pub labels_seen: BTreeMap<String, u64>,
    /// Messages handed to the broker.
    pub published: u64,
    /// Whether the broker is connected, and if not, why.
    pub broker: BrokerStatus,
    /// The events that are stored; `None` if none are.
    pub outbox: Option<OutboxStatus>,
    /// What is wrong with cameras and units beside their states, in sentences for the operator.
    pub degraded: Vec<String>,
    /// The state files that cannot be written now, in sentences for the operator.
    pub unwritten: Vec<String>,
    /// What is wrong with parts that run on their own, such as the log and the listeners, in sentences for the operator.
    pub troubles: Vec<String>,
    /// What went wrong last, whether it is over or not.
    pub last_trouble: Option<Trouble>,
    /// Process ids of the units.
    pub unit_pids: Vec<u32>,
    /// The cameras of each capture process, by process id.
    pub capture_processes: BTreeMap<u32, Vec<CameraId>>,
}

impl ApplianceStatus {
    /// The sum of the ledgers of all cameras, those included that a reload of the settings has removed.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        self.models.values().for_each(|model| total.add(&model.former_cameras));
        for camera in self.cameras.values() {
            total.add(&camera.ledger);
        }
        total
    }

    /// True when every captured frame and every image has an outcome or is in flight.
    pub fn ledger_closes(&self) -> bool {
        let mut total = self.total();
        self.models.values().for_each(|model| total.add(&model.images));
        total.closes(self.in_flight)
    }

    /// The number of units that all models together should have.
    pub(crate) fn units_desired(&self) -> usize {
        self.models.values().map(|model| model.desired).sum()
    }

    /// The number of units in service, of all models together.
    pub(crate) fn units_in_service(&self) -> usize {
        self.models.values().map(|model| model.in_service).sum()
    }

    /// True when every model that should run is running with all its units.
    pub fn is_ready(&self) -> bool {
        let is_ready = |model: &ModelStatus| match model.state {
            ModelState::Running => model.in_service >= model.desired,
            ModelState::Stopped | ModelState::Stopping => true,
            ModelState::Starting | ModelState::Failed => false,
        };
        !self.models.is_empty() && self.models.values().all(is_ready)
    }
}
