//! `<p>/<box>/cameras/<cam>/events`: what began, changed and ended in a camera's picture.

use crate::vision::geometry::NormalizedBox;
use serde::Serialize;

/// The schema name of [`EventMessage`].
pub const SCHEMA_EVENT: &str = "ocelli.event.v1";

/// What happened to an object, or to a label of the whole picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum EventKind {
    /// The object or label is confirmed.
    Began,
    /// It entered another region, got a better confidence, or changed its label.
    Changed,
    /// It left the picture, or the camera was lost.
    Ended,
}

/// `<p>/<box>/cameras/<cam>/events`: one event. `schema` is `ocelli.event.v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = add_dropped))]
pub struct EventMessage {
    /// The schema of this message.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_EVENT)))]
    pub schema: &'static str,
    /// Boot id and `seq`: unique, so a subscriber can drop duplicates.
    pub id: String,
    /// Counts the events of all cameras of this box since the daemon started, from 1. The events of one camera arrive
    /// in this order. A camera with a backlog is overtaken by others, so a missing number may still arrive. A number
    /// that never arrives was dropped: the outbox adds `dropped` to a later event, with the count of dropped events,
    /// also of earlier runs. Events that the broker rejects for good or that the disk damaged are counted in the
    /// metrics only.
    pub seq: u64,
    /// `began`, `changed` or `ended`.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The box's id; `box` is the bounding box.
    pub box_id: String,
    /// The camera's id.
    pub camera: String,
    /// Number of the object, unique within its camera since the daemon started.
    pub track: u64,
    /// From the model's `labels.txt`.
    pub label: String,
    /// When the object was first seen; RFC 3339, UTC, milliseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub began_at: String,
    /// When this event happened; same format.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub at: String,
    /// When the object was last seen; in `ended` events only.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// False until the wall clock is synchronized.
    pub clock_synced: bool,
    /// Monotonic milliseconds of `at`, while the wall clock is not synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<u64>,
    /// Best confidence so far, 0..=1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f32,
    /// Bounding box at the best confidence; absent for a label of the whole picture.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<NormalizedBox>,
    /// The model that detected it.
    pub model: String,
    /// The version in that model's manifest.
    pub model_version: String,
    /// Names of the regions that the object has entered, in order of entry.
    pub regions: Vec<String>,
    /// Where the box's API serves a clip of this event (MP4), some seconds after its end; absent if none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<String>,
    /// The epoch of the claim in which it was seen; of cameras of a cluster only. What was seen after a higher epoch was claimed comes
    /// from a box that had not heard of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// True when the box could not be sure any more that no other has claimed the camera.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owner_uncertain: bool,
}

impl EventMessage {
    /// Serializes the message, below 16 KiB: the settings and manifests bound names and labels.
    ///
    /// # Errors
    /// Never for this type; serde's signature has one.
    pub fn to_payload(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

/// Adds to the schema what the outbox adds to an event that it has ready as JSON.
#[cfg(test)]
fn add_dropped(schema: &mut schemars::Schema) {
    let description =
        "How many events were dropped before this one because the outbox had no room; absent if none was.";
    if let Some(serde_json::Value::Object(properties)) = schema.get_mut("properties") {
        let dropped = serde_json::json!({"description": description, "type": "integer", "minimum": 0});
        properties.insert("dropped".into(), dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_that_of_the_contract() {
        let event = EventMessage {
            schema: SCHEMA_EVENT,
            id: "5f1c-7".into(),
            seq: 7,
            kind: EventKind::Began,
            box_id: "gate-1".into(),
            camera: "yard".into(),
            track: 3,
            label: "person".into(),
            began_at: "2026-11-24T08:15:30.123Z".into(),
            at: "2026-11-24T08:15:30.523Z".into(),
            ended_at: None,
            clock_synced: true,
            monotonic_ms: None,
            confidence: 0.9,
            bounding_box: NormalizedBox::from_corners(0.1, 0.2, 0.3, 0.4),
            model: "coco-ssd".into(),
            model_version: "1".into(),
            regions: vec!["door".into()],
            clip: None,
            epoch: None,
            owner_uncertain: false,
        };
        let json: serde_json::Value = serde_json::from_slice(&event.to_payload().unwrap()).unwrap();
        assert_eq!((&json["schema"], &json["type"]), (&"ocelli.event.v1".into(), &"began".into()));
        assert_eq!(json["box"]["left"], 0.1_f32);
        assert_eq!(json["regions"][0], "door");
        assert!(json.get("ended_at").is_none() && json.get("dropped").is_none());
        let image_label = EventMessage { bounding_box: None, ..event };
        let json: serde_json::Value = serde_json::from_slice(&image_label.to_payload().unwrap()).unwrap();
        assert!(json.get("box").is_none());
    }
}
