//! What viewers of live video are told of an analysed frame.

use crate::admission::FrameWork;
use crate::live::Relay;
use crate::publish::message::{DetectedObject, DetectionsMessage};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct DetectionsText<'a> {
    r#type: &'static str,
    /// When the frame is shown, in microseconds on the timeline of the video.
    pts: u64,
    /// Its number, as in published detections.
    frame: u64,
    /// As in published detections.
    captured_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera_time: Option<&'a str>,
    /// These are the boxes of this very frame.
    exact: bool,
    boxes: &'a [DetectedObject],
}

/// Tells the viewers of its camera what the frame shows.
pub(super) fn tell(live: &Relay, work: &FrameWork, message: &DetectionsMessage) {
    let text = DetectionsText {
        r#type: "detections",
        pts: work.frame.media_us,
        frame: work.number,
        captured_at: &message.captured_at,
        camera_time: message.camera_time.as_deref(),
        exact: true,
        boxes: &message.detections,
    };
    if let Ok(text) = serde_json::to_string(&text) {
        live.tell(&work.camera, &Arc::from(text));
    }
}
