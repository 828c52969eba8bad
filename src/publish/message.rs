//! The JSON of the MQTT contract, version 1.

use crate::vision::camera_status::CameraStatus;
use crate::vision::geometry::NormalizedBox;
use serde::Serialize;
use std::collections::BTreeMap;

/// The name of this form of [`DetectionsMessage`].
pub const SCHEMA_DETECTIONS: &str = "ocelli.detections.v1";

/// The longest payload of the contract.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

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

impl DetectionsMessage {
    /// The payload. What does not fit 16 KiB is cut off, least confident first, and the message says so.
    ///
    /// # Errors
    /// Never for this type; serde's signature has one.
    pub fn to_payload(mut self) -> serde_json::Result<Vec<u8>> {
        loop {
            let payload = serde_json::to_vec(&self)?;
            if payload.len() <= MAX_PAYLOAD_BYTES || self.detections.is_empty() {
                return Ok(payload);
            }
            let fits = self.detections.len() * MAX_PAYLOAD_BYTES / payload.len();
            self.detections.truncate(fits.min(self.detections.len() - 1));
            self.truncated = true;
        }
    }
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
    /// The object that it is, once that has begun: the `track` of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
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

/// One model in the box's state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelState {
    /// STARTING, RUNNING, STOPPING, STOPPED or FAILED.
    pub state: &'static str,
    /// Its package's directory.
    pub package: String,
    /// By its manifest.
    pub version: String,
    /// A version that is being brought in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_version: Option<String>,
    /// The least units.
    pub min_units: u16,
    /// The most; absent: the number is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_units: Option<u16>,
    /// Units there should be.
    pub desired_units: u16,
    /// Units that take work.
    pub in_service_units: u16,
    /// What computes: nodes of the model by zone and execution provider; absent while no unit is in service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, BTreeMap<String, u32>>,
    /// Pictures that a unit takes together at most.
    pub unit_batch: u32,
    /// What one unit can do, transactions a second, with frames and images mixed as they come.
    pub unit_tps: f32,
    /// The same of a camera's frames alone.
    pub unit_frame_tps: f32,
    /// The same of images from outside alone.
    pub unit_image_tps: f32,
    /// What the units in service can do, transactions a second.
    pub capacity_tps: f32,
    /// What they did over the last ten seconds.
    pub load_tps: f32,
    /// Transactions since the daemon started, whole thousands: each look counts, so a frame in five tiles counts five.
    pub transactions: u64,
    /// Since the month began.
    pub inference_hours: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(objects: usize) -> DetectionsMessage {
        let object = |index: usize| DetectedObject {
            label: "person".into(),
            confidence: 1.0 / (index + 1) as f32,
            bounding_box: NormalizedBox::from_corners(0.1, 0.2, 0.3, 0.4),
            track: None,
        };
        DetectionsMessage {
            schema: SCHEMA_DETECTIONS,
            id: "0-yard-1".into(),
            box_id: "gate-1".into(),
            camera: "yard".into(),
            frame: 1,
            captured_at: crate::os::clock::rfc3339_utc(1_795_508_130_123),
            clock_synced: true,
            monotonic_ms: None,
            width: 1920,
            height: 1080,
            model: "coco-ssd".into(),
            model_version: "1".into(),
            latency_ms: LatencyMs { queue: 3.1, inference: 24.8, total: 31.0 },
            detections: (0..objects).map(object).collect(),
            truncated: false,
        }
    }

    #[test]
    fn a_cameras_state_is_called_as_it_is_published() {
        use CameraStatus::{AuthFailed, Connecting, Disabled, Offline, Stalled, Streaming};
        for status in [Connecting, Streaming, Stalled, AuthFailed, Offline, Disabled] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }

    #[test]
    fn the_payload_is_that_of_the_contract() {
        let payload = message(1).to_payload().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(json["schema"], "ocelli.detections.v1");
        assert_eq!(json["box"], "gate-1");
        assert_eq!(json["captured_at"], "2026-11-24T08:15:30.123Z");
        assert_eq!(json["detections"][0]["box"]["left"], 0.1_f32);
        assert!(json.get("truncated").is_none() && json.get("monotonic_ms").is_none());
    }

    #[test]
    fn a_payload_never_exceeds_its_limit_and_says_what_it_lacks() {
        let payload = message(500).to_payload().unwrap();
        assert!(payload.len() <= MAX_PAYLOAD_BYTES);
        let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(json["truncated"], true);
        assert_eq!(json["detections"][0]["confidence"], 1.0, "the most confident ones stay");
    }
}
