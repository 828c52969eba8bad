//! A camera as a device of Home Assistant, and the topics that say whether it is available.

use crate::vision::camera_id::CameraId;
use serde_json::{Value, json};

/// A camera as Home Assistant is to see it.
#[derive(Clone, Copy, Debug)]
pub struct CameraDevice<'a> {
    /// First part of the topics that Home Assistant looks for devices in.
    pub discovery_prefix: &'a str,
    /// First part of our topics.
    pub topic_prefix: &'a str,
    /// The box's id.
    pub box_id: &'a str,
    /// The camera's id.
    pub camera: &'a CameraId,
    /// What people call it, at most 64 bytes.
    pub name: &'a str,
    /// Of ocelli.
    pub version: &'a str,
    /// Labels of interest, within the bounds of [`settings`](super::settings), each with a level of its own.
    pub labels: &'a [String],
}

impl CameraDevice<'_> {
    /// A topic of the camera.
    pub(super) fn topic(&self, rest: &str) -> String {
        format!("{}/{}/cameras/{}/{rest}", self.topic_prefix, self.box_id, self.camera)
    }

    /// Home Assistant leaves an entity as it is at a payload that it does not expect, so `stopped` is translated.
    pub(super) fn box_is_there(&self) -> Value {
        json!({
            "topic": format!("{}/{}/available", self.topic_prefix, self.box_id),
            "value_template": "{{ 'online' if value == 'online' else 'offline' }}",
        })
    }

    pub(super) fn camera_is_streaming(&self) -> Value {
        json!({
            "topic": self.topic("state"),
            "value_template": "{{ 'online' if value_json.state == 'streaming' else 'offline' }}",
        })
    }
}

/// `/` is in no id, so that no two cameras share an identifier.
pub(super) fn device_identifier(box_id: &str, camera: &str) -> String {
    format!("ocelli/{box_id}/{camera}")
}
