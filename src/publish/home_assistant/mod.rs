//! Home Assistant *device discovery*: one retained message per camera.
//!
//! Home Assistant (2024.11 and newer) reads it, creates the device with its entities, and subscribes to the topics of
//! our contract that the message names; nothing else is published for it. An empty retained message removes the device.
//! This module only builds messages: it has no client and no clock, and knows only the camera it is given.

mod components;
mod device;
mod leftovers;
pub mod settings;

pub use leftovers::{all_announcements, is_leftover};

use crate::publish::home_assistant::components::components;
pub use crate::publish::home_assistant::device::CameraDevice;
use crate::publish::home_assistant::device::device_identifier;
use serde_json::json;

/// The payload of Home Assistant's status topic after a start, when it may have lost earlier announcements.
pub const BIRTH: &[u8] = b"online";

/// A message to publish with QoS 1, retained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiscoveryMessage {
    /// The whole topic.
    pub topic: String,
    /// JSON; or empty, which removes the device.
    pub payload: Vec<u8>,
}

impl CameraDevice<'_> {
    /// Builds the announcement, at most 16 KiB within the limits of [`settings`]. Repeating it changes nothing.
    /// Entities of an earlier announcement that this one lacks stay in Home Assistant until a [`removal`].
    ///
    /// # Errors
    /// Never for this value; serde's signature has one.
    pub fn announcement(&self) -> serde_json::Result<DiscoveryMessage> {
        let device = json!({
            "identifiers": [device_identifier(self.box_id, self.camera.as_str())],
            "name": self.name,
            "manufacturer": "ocelli",
            "model": "IP camera",
            "sw_version": self.version,
        });
        let message = json!({
            "dev": device,
            "o": {"name": "ocelli", "sw": self.version},
            // By default for all entities: while the camera is lost its counts are 0, and an entity that is
            // unavailable is distinguishable from an empty scene.
            "availability": [self.box_is_there(), self.camera_is_streaming()],
            "availability_mode": "all",
            "cmps": components(self),
        });
        let topic = announcement_topic(self.discovery_prefix, self.box_id, self.camera.as_str());
        Ok(DiscoveryMessage { topic, payload: serde_json::to_vec(&message)? })
    }
}

/// The topic of a camera's announcement. Two cameras share a topic only if one box's id and a `_` begin the other's
/// (`gate` with camera `1_yard`, `gate_1` with camera `yard`); the ids within the messages are still different.
pub fn announcement_topic(discovery_prefix: &str, box_id: &str, camera: &str) -> String {
    format!("{discovery_prefix}/device/{box_id}_{camera}/config")
}

/// Builds the message that removes the device announced on this topic.
pub fn removal(topic: impl Into<String>) -> DiscoveryMessage {
    DiscoveryMessage { topic: topic.into(), payload: Vec::new() }
}

#[cfg(test)]
mod tests;
