//! A camera as a device of Home Assistant, and the topics that say whether it is available.

use crate::vision::camera_id::CameraId;
use serde_json::{Value, json};

/// A camera as Home Assistant shows it.
#[derive(Clone, Copy, Debug)]
pub struct CameraDevice<'a> {
    /// Home Assistant's discovery prefix.
    pub discovery_prefix: &'a str,
    /// Prefix of our own topics.
    pub topic_prefix: &'a str,
    /// The level of its topics: the box's id, or the name of the cluster that it belongs to.
    pub box_id: &'a str,
    /// Whether that is a cluster.
    pub is_clustered: bool,
    /// The camera's id.
    pub camera: &'a CameraId,
    /// Display name, at most 64 bytes.
    pub name: &'a str,
    /// Version of ocelli.
    pub version: &'a str,
    /// Labels that become entities, within the limits of [`settings`](super::settings), each with its own topic level.
    pub labels: &'a [String],
}

impl CameraDevice<'_> {
    /// A topic of the camera.
    pub(super) fn topic(&self, rest: &str) -> String {
        format!("{}/{}/cameras/{}/{rest}", self.topic_prefix, self.box_id, self.camera)
    }

    /// Home Assistant ignores unexpected availability payloads, so the template maps `stopped` to `offline`.
    pub(super) fn box_is_there(&self) -> Value {
        if self.is_clustered {
            // A box may be gone, and another look at the camera: what counts is that one does.
            return json!({
                "topic": format!("{}/{}/owner/{}", self.topic_prefix, self.box_id, self.camera),
                "value_template": "{{ 'online' if value_json.box is defined else 'offline' }}",
            });
        }
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
