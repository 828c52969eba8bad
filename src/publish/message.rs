//! The JSON of the MQTT contract, version 1.

pub use crate::publish::state_message::{BoxStateMessage, CameraStateMessage, ModelStateMessage};
use crate::vision::geometry::NormalizedBox;
use serde::Serialize;

/// The schema name of [`DetectionsMessage`].
pub const SCHEMA_DETECTIONS: &str = "ocelli.detections.v1";

/// The longest payload of the contract.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// `<p>/<box>/cameras/<cam>/detections`: one analysed frame. `schema` is `ocelli.detections.v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DetectionsMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_DETECTIONS)))]
    pub schema: &'static str,
    /// Boot id and frame number: unique, so a subscriber can drop duplicates.
    pub id: String,
    /// The box's id. In a detection and in an event, `box` is the bounding box.
    #[serde(rename = "box")]
    pub box_id: String,
    /// The camera's id.
    pub camera: String,
    /// Counts the frames of the camera since the daemon started.
    pub frame: u64,
    /// RFC 3339, UTC, milliseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub captured_at: String,
    /// False until the wall clock is synchronized.
    pub clock_synced: bool,
    /// Monotonic milliseconds of `captured_at`, while the wall clock is not synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<u64>,
    /// When the camera says that it took the frame: RFC 3339, UTC, milliseconds. Only if it sends RTCP sender reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub camera_time: Option<String>,
    /// `camera_time` minus `captured_at` in milliseconds: how far the camera's clock is ahead, less the delay of the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_offset_ms: Option<i64>,
    /// Pixels of the analysed frame.
    pub width: u32,
    /// Pixels of the analysed frame.
    pub height: u32,
    /// The model that analysed the frame.
    pub model: String,
    /// The version in that model's manifest.
    pub model_version: String,
    /// How long each step of the frame took.
    pub latency_ms: LatencyMs,
    /// Objects and image labels, most confident first.
    pub detections: Vec<DetectedObject>,
    /// True when detections were cut off to keep the payload within 16 KiB.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// The epoch of the claim in which it was seen; of cameras of a cluster only. What was seen after a higher epoch was claimed comes
    /// from a box that had not heard of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// True when the box could not be sure any more that no other has claimed the camera.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owner_uncertain: bool,
}

impl DetectionsMessage {
    /// Serializes the message. Drops the least confident detections until it fits 16 KiB, and sets `truncated` then.
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

/// How long each step of one frame took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatencyMs {
    /// From capture until a unit took the frame.
    pub queue: f32,
    /// In the model, as the unit measured it.
    pub inference: f32,
    /// From capture until the message was made.
    pub total: f32,
}

/// One object, or one label of the whole picture, in one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DetectedObject {
    /// From the model's `labels.txt`.
    pub label: String,
    /// 0..=1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f32,
    /// Absent for a label of the whole picture.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<NormalizedBox>,
    /// The `track` number of the object's events, once its `began` event was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
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
            camera_time: None,
            camera_offset_ms: None,
            width: 1920,
            height: 1080,
            model: "coco-ssd".into(),
            model_version: "1".into(),
            latency_ms: LatencyMs { queue: 3.1, inference: 24.8, total: 31.0 },
            detections: (0..objects).map(object).collect(),
            truncated: false,
            epoch: None,
            owner_uncertain: false,
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
