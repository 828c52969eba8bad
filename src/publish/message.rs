//! The JSON of the MQTT contract, version 1.

use crate::vision::geometry::NormalizedBox;
use serde::Serialize;
use std::collections::BTreeMap;

/// `<p>/<box>/cameras/<cam>/detections`: one analysed frame. `schema` is `ocelli.detections.v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectionsMessage {
    /// Names this form of message.
    pub schema: &'static str,
    /// Boot id and frame number: unique, so a subscriber can drop duplicates.
    pub id: String,
    /// The box's id.
    #[serde(rename = "box")]
    pub box_id: String,
    /// The camera's id.
    pub camera: String,
    /// Counts the frames of the camera since the daemon started.
    pub frame: u64,
    /// RFC 3339, UTC, milliseconds.
    pub captured_at: String,
    /// False until the box knows the time.
    pub clock_synced: bool,
    /// Beside a time that is not to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<u64>,
    /// Pixels of the analysed frame.
    pub width: u32,
    /// Pixels of the analysed frame.
    pub height: u32,
    /// Which model looked at it.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Where the time went.
    pub latency_ms: LatencyMs,
    /// Most confident first.
    pub detections: Vec<DetectedObject>,
    /// True when detections were cut off to keep the payload within 16 KiB.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// Milliseconds of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencyMs {
    /// From capture to a unit.
    pub queue: f32,
    /// In the model.
    pub inference: f32,
    /// From capture to publishing.
    pub total: f32,
}

/// One thing in one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectedObject {
    /// From the model's `labels.txt`.
    pub label: String,
    /// 0..=1.
    pub confidence: f32,
    /// Absent for a label of the whole picture.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<NormalizedBox>,
}

/// What a camera is doing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraStatus {
    /// A connection is being made.
    Connecting,
    /// Frames come.
    Streaming,
    /// The connection stands and frames stopped coming; it is being made anew.
    Stalled,
    /// The camera refuses the credentials; tried again rarely, because cameras lock accounts.
    AuthFailed,
    /// It cannot be reached; tried again by the ladder.
    Offline,
    /// Configured, but switched off.
    Disabled,
}

/// `<p>/<box>/cameras/<cam>/state`, retained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraStateMessage {
    /// What it is doing.
    pub state: CameraStatus,
    /// While streaming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// As the camera sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// As the camera sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Analysed frames a second that are wanted.
    pub fps: f32,
    /// Why it is not streaming, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `<p>/<box>/state`, retained.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BoxStateMessage {
    /// Of ocelli.
    pub version: String,
    /// New at each start of the daemon.
    pub boot_id: String,
    /// By name.
    pub models: BTreeMap<String, ModelState>,
    /// What is not as it should be, for a person.
    pub degraded: Vec<String>,
}

/// The units of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelState {
    /// Its version.
    pub version: String,
    /// How many units there should be.
    pub desired_units: u16,
    /// How many are ready.
    pub in_service_units: u16,
    /// Transactions per second the ready units can do, from measured service time.
    pub capacity_tps: f32,
    /// Transactions per second they did of late.
    pub load_tps: f32,
}
