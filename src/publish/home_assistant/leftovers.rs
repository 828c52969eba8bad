//! Announcements that the broker still keeps of cameras that are no longer there.
//!
//! A daemon does not know of a camera that was removed from the settings while it was stopped, so it could not remove
//! it from Home Assistant. The broker knows: it sends every retained announcement to a new subscriber.

use crate::vision::camera_id::CameraId;

/// The topics of every announcement, also those of others.
pub fn all_announcements(discovery_prefix: &str) -> String {
    format!("{discovery_prefix}/device/+/config")
}

/// True for this box's own announcement of a camera that is none of `cameras`: it is to be removed. Judged by the
/// device's identifier and not by the topic, which another box's announcement may resemble.
pub fn is_leftover(payload: &[u8], box_id: &str, cameras: &[CameraId]) -> bool {
    let Ok(message) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return false;
    };
    let identifier = message["dev"]["identifiers"][0].as_str().unwrap_or_default();
    let camera = identifier.strip_prefix("ocelli/").and_then(|rest| rest.strip_prefix(box_id)?.strip_prefix('/'));
    camera.is_some_and(|camera| !cameras.iter().any(|known| known.as_str() == camera))
}
