//! `<p>/<box>/cameras/<cam>/events`: what began, changed and ended in a camera's picture.

use crate::vision::geometry::NormalizedBox;
use serde::Serialize;

/// The name of this form of [`EventMessage`].
pub const SCHEMA_EVENT: &str = "ocelli.event.v1";

/// What happened to an object, or to a label of the whole picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// It is there for sure.
    Began,
    /// It has entered a further region, is seen better, or is taken for something else.
    Changed,
    /// It is gone.
    Ended,
}

/// One event. `schema` is `ocelli.event.v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventMessage {
    /// Names this form of message.
    pub schema: &'static str,
    /// Boot id and `seq`: unique, so a subscriber can drop duplicates.
    pub id: String,
    /// Counts the events of this box, of all its cameras, since the daemon started, from 1. Those of one camera come in
    /// this order; one that is behind is overtaken by the others, so a missing number may still come. One that never
    /// does was dropped, and a later event's `dropped`, which the outbox adds when it sends one, says how many were; they
    /// may be of an earlier run too. What the broker would never take, or the disk has damaged, is only counted in the
    /// metrics.
    pub seq: u64,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The box's id; `box` is the bounding box.
    pub box_id: String,
    /// The camera's id.
    pub camera: String,
    /// The object, among those of its camera since the daemon started.
    pub track: u64,
    /// From the model's `labels.txt`.
    pub label: String,
    /// When it was seen first; RFC 3339, UTC, milliseconds.
    pub began_at: String,
    /// When this happened.
    pub at: String,
    /// When it was seen last, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// False until the box knows the time.
    pub clock_synced: bool,
    /// Beside times that are not to be trusted: the clock of `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monotonic_ms: Option<u64>,
    /// The best so far, 0..=1.
    pub confidence: f32,
    /// Where it was when it was seen best; absent for a label of the whole picture.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<NormalizedBox>,
    /// Which model looked.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Names of the regions that it has entered, in that order.
    pub regions: Vec<String>,
}

impl EventMessage {
    /// The payload, below 16 KiB: names and labels are bounded where they are read.
    ///
    /// # Errors
    /// Never for this type; serde's signature has one.
    pub fn to_payload(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
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
