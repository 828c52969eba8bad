//! What viewers of live video are told of an analysed frame.

use crate::admission::FrameWork;
use crate::live::Relay;
use crate::publish::message::DetectedObject;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct DetectionsText<'a> {
    r#type: &'static str,
    /// When the frame is shown, in microseconds on the timeline of the video.
    pts: u64,
    /// Its number, as in published detections.
    frame: u64,
    /// These are the boxes of this very frame.
    exact: bool,
    boxes: &'a [DetectedObject],
}

/// Tells the viewers of its camera what the frame shows.
pub(super) fn tell(live: &Relay, work: &FrameWork, objects: &[DetectedObject]) {
    let pts = work.frame.media_us;
    let text = DetectionsText { r#type: "detections", pts, frame: work.number, exact: true, boxes: objects };
    if let Ok(text) = serde_json::to_string(&text) {
        live.tell(&work.camera, &Arc::from(text));
    }
}
