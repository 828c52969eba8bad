//! Announcements of removed cameras that the broker still retains.
//!
//! A daemon does not know of a camera that was removed from the settings while it was stopped, so it could not remove
//! it from Home Assistant. The broker knows: it sends every retained announcement to a new subscriber.

use crate::vision::camera_id::CameraId;

/// The topic filter of all announcements, including those of other boxes and programs.
pub fn all_announcements(discovery_prefix: &str) -> String {
    format!("{discovery_prefix}/device/+/config")
}

/// True for an announcement of this box whose camera is not among `cameras`, so that it must be removed. This depends
/// on the device's identifier and not on the topic, because topics of different boxes can be equal.
pub fn is_leftover(payload: &[u8], box_id: &str, cameras: &[CameraId]) -> bool {
    let Ok(message) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return false;
    };
    let identifier = message["dev"]["identifiers"][0].as_str().unwrap_or_default();
    let camera = identifier.strip_prefix("ocelli/").and_then(|rest| rest.strip_prefix(box_id)?.strip_prefix('/'));
    camera.is_some_and(|camera| !cameras.iter().any(|known| known.as_str() == camera))
}
