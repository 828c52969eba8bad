//! The parts of the box's health, each made from its part of the status.

use crate::admission::Ledger;
use crate::control::health::stream::{MainStreamHealth, StreamHealth, rounded};
use crate::control::judge;
use crate::control::status::{ApplianceStatus, CameraView};
use crate::control::trouble_watch::Trouble;
use crate::os::clock::rfc3339_utc;
use crate::publish::broker_status::BrokerStatus;
use crate::publish::outbox::OutboxStatus;
use crate::supervisor::{ModelState, ModelStatus};
use crate::vision::camera_status::CameraStatus;
use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraHealth {
    /// The state of its connection.
    pub state: CameraStatus,
    /// Why nothing is seen before it; absent while its frames are analysed, and when it is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it has been streaming, or not: RFC 3339, UTC.
    pub since: String,
    /// How long that is.
    pub since_seconds: u64,
    /// The codec of its stream; absent unless streaming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Pixels of its stream, before scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels of its stream, before scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames a second that are to be analysed; 0: all.
    pub fps: f32,
    /// Frames a second that were decoded, over the last ten seconds.
    pub decoded_fps: f64,
    /// Frames a second that were analysed, over the last ten seconds.
    pub analysed_fps: f64,
    /// Parts of its picture are black in snapshots, so that it has neither a live view nor clips; absent if none are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blackout: bool,
    /// The model that analyses its frames.
    pub model: String,
    /// Frames decoded since the daemon started.
    pub decoded: u64,
    /// What became of everything that it sent.
    #[serde(default)]
    pub stream: StreamHealth,
    /// Its main stream; absent if that is the analysed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main: Option<MainStreamHealth>,
    /// Connections lost since the daemon started.
    pub reconnects: u64,
    /// How its frames ended since the daemon started.
    pub outcomes: Ledger,
    /// How many objects of each label the newest analysed frame shows.
    pub seen: BTreeMap<String, u32>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelHealth {
    /// The state of its lifecycle.
    pub state: ModelState,
    /// The directory of its package.
    pub package: String,
    /// The version in its package's manifest.
    pub version: String,
    /// Units in service.
    pub in_service_units: usize,
    /// Units that it should have.
    pub desired_units: usize,
    /// Transactions a second that its units can do.
    pub capacity_tps: f64,
    /// Transactions a second that they did over the last ten seconds.
    pub load_tps: f64,
    /// What is wrong with it, in sentences for the operator.
    pub reasons: Vec<String>,
}

/// The state of the MQTT connection in one word.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokerState {
    /// MQTT is switched off in the settings.
    #[default]
    Off,
    /// It is connected.
    Connected,
    /// It cannot be reached.
    Away,
    /// It can be reached, and does not let the box in.
    Refused,
}

/// The MQTT connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerHealth {
    /// Whether it is connected.
    pub state: BrokerState,
    /// Why it is not connected, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Messages handed to it since the daemon started.
    pub published: u64,
}

/// Stored events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutboxHealth {
    /// Events that wait to be sent.
    pub waiting: u64,
    /// Events that were sent and are not acknowledged.
    pub unacknowledged: u64,
    /// What all stored events take on the disk, delivered ones too.
    pub bytes: u64,
    /// Events dropped for want of room since the daemon started.
    pub dropped: u64,
    /// Why events are kept in memory only, or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Something that went wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TroubleHealth {
    /// A sentence for the operator.
    pub what: String,
    /// When it began: RFC 3339, UTC.
    pub at: String,
    /// How long ago that was.
    pub seconds_ago: u64,
    /// When it was over; absent while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

/// Turns monotonic times into those of a clock on the wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusClock {
    now: Monotonic,
    made_at: Monotonic,
    made_at_ms: i64,
}

impl StatusClock {
    pub(super) fn new(status: &ApplianceStatus, now: Monotonic) -> Self {
        Self { now, made_at: status.made_at.unwrap_or(now), made_at_ms: status.made_at_ms }
    }

    fn wall(self, at: Monotonic) -> String {
        let before = self.made_at.since(at).as_millis();
        rfc3339_utc(self.made_at_ms - i64::try_from(before).unwrap_or(0))
    }

    fn seconds_since(self, at: Monotonic) -> u64 {
        self.now.since(at).as_secs()
    }
}

impl CameraHealth {
    pub(super) fn of(status: &ApplianceStatus, view: &CameraView, clock: &StatusClock) -> Self {
        let state = &view.state;
        Self {
            state: state.state,
            reason: judge::blindness(status, view).map(|blindness| blindness.why),
            since: clock.wall(view.since),
            since_seconds: clock.seconds_since(view.since),
            codec: state.codec.clone(),
            width: state.width,
            height: state.height,
            fps: state.fps,
            decoded_fps: rounded(view.rates.decoded),
            analysed_fps: rounded(view.rates.analysed),
            blackout: view.is_blacked_out,
            model: view.model.clone(),
            decoded: view.counts.decoded,
            stream: StreamHealth::of(&view.counts, &view.rates),
            main: view.main.as_ref().map(|main| MainStreamHealth::of(main, clock.seconds_since(main.since))),
            reconnects: view.reconnects,
            outcomes: view.ledger.clone(),
            seen: view.seen.clone(),
        }
    }
}

impl ModelHealth {
    pub(super) fn of(status: &ModelStatus) -> Self {
        Self {
            state: status.state,
            package: status.package.clone(),
            version: status.version.clone(),
            in_service_units: status.in_service,
            desired_units: status.desired,
            capacity_tps: rounded(status.capacity_tps),
            load_tps: rounded(status.load_tps),
            reasons: status.degraded.clone(),
        }
    }
}

impl BrokerHealth {
    pub(super) fn of(status: &ApplianceStatus) -> Self {
        let (state, reason) = match &status.broker {
            BrokerStatus::Off => (BrokerState::Off, None),
            BrokerStatus::Connected => (BrokerState::Connected, None),
            BrokerStatus::Away(reason) => (BrokerState::Away, reason.clone()),
            BrokerStatus::Refused(reason) => (BrokerState::Refused, reason.clone()),
        };
        Self { state, reason, published: status.published }
    }
}

impl OutboxHealth {
    pub(super) fn of(status: &OutboxStatus) -> Self {
        Self {
            waiting: status.waiting,
            unacknowledged: status.on_their_way,
            bytes: status.bytes,
            dropped: status.dropped,
            trouble: status.trouble.clone(),
        }
    }
}

impl TroubleHealth {
    pub(super) fn of(trouble: &Trouble, clock: &StatusClock) -> Self {
        Self {
            what: trouble.what.clone(),
            at: clock.wall(trouble.began),
            seconds_ago: clock.seconds_since(trouble.began),
            ended_at: trouble.ended.map(|at| clock.wall(at)),
        }
    }
}
