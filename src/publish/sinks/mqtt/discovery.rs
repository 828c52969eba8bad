//! Home Assistant discovery over this connection: announces cameras again after Home Assistant has restarted, and
//! removes those that no longer exist.

use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::publish::home_assistant::{BIRTH, all_announcements, is_leftover};
use crate::publish::outgoing::States;
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::vision::camera_id::CameraId;
use crate::vision::line_limit::LineLimit;
use crate::vision::monotonic::Monotonic;
use std::sync::Arc;

/// The topics to subscribe to, and the reactions to their messages.
pub(super) struct Discovery {
    box_id: String,
    status_topic: String,
    announcements: String,
    /// Prefix of the topics of announcements.
    prefix: String,
    cameras: Vec<CameraId>,
    /// Of the lines about cameras that are deleted.
    lines: LineLimit,
}

impl Discovery {
    /// `None` when discovery is disabled.
    pub(super) fn new(settings: &HomeAssistantSettings, box_id: &str, cameras: &[CameraId]) -> Option<Self> {
        settings.enabled.then(|| Self {
            box_id: box_id.to_owned(),
            status_topic: settings.status_topic.clone(),
            announcements: all_announcements(&settings.discovery_prefix),
            prefix: format!("{}/device/", settings.discovery_prefix),
            cameras: cameras.to_vec(),
            lines: LineLimit::default(),
        })
    }

    /// These are the cameras of this box from now on.
    pub(super) fn cameras_are(&mut self, cameras: &[CameraId]) {
        self.cameras = cameras.to_vec();
    }

    /// The topics to subscribe to.
    pub(super) fn topics(&self) -> [&str; 2] {
        [&self.status_topic, &self.announcements]
    }

    /// The messages to publish in response; `None` if the message is not about discovery.
    pub(super) fn receive(&mut self, message: &Incoming, states: &States, now: Monotonic) -> Option<States> {
        if message.topic == self.status_topic {
            let again = states.iter().filter(|(topic, _)| message.payload == BIRTH && topic.starts_with(&self.prefix));
            return Some(again.map(|(topic, payload)| (topic.clone(), Arc::clone(payload))).collect());
        }
        if !message.topic.starts_with(&self.prefix) {
            return None;
        }
        let mut removed = States::new();
        if is_leftover(&message.payload, &self.box_id, &self.cameras) {
            if let Some(left_out) = self.lines.admit(now) {
                let (topic, count) = (&message.topic, left_out.count());
                tracing::info!(topic, left_out = count, "a removed camera is deleted from Home Assistant{left_out}");
            }
            removed.insert(message.topic.clone(), Arc::new([]));
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::commands::ReplyTo;

    fn message(topic: &str, payload: &[u8]) -> Incoming {
        Incoming { topic: topic.into(), is_retained: true, payload: payload.to_vec(), reply_to: ReplyTo::default() }
    }

    #[test]
    fn cameras_are_announced_again_after_a_birth_and_those_that_are_gone_are_taken_away() {
        let settings = HomeAssistantSettings { enabled: true, ..HomeAssistantSettings::default() };
        let mut discovery = Discovery::new(&settings, "gate", &[CameraId::new("yard").unwrap()]).unwrap();
        let announcement: Arc<[u8]> = br#"{"dev":{"identifiers":["ocelli/gate/yard"]}}"#.as_slice().into();
        let topic = "homeassistant/device/gate_yard/config".to_owned();
        let other = ("ocelli/gate/state".to_owned(), Arc::from(b"{}".as_slice()));
        let states: States = [(topic.clone(), Arc::clone(&announcement)), other].into_iter().collect();
        let now = Monotonic::default();
        let mut said = |topic: &str, payload: &[u8]| discovery.receive(&message(topic, payload), &states, now);
        assert_eq!(said("homeassistant/status", b"online").unwrap().keys().collect::<Vec<_>>(), [&topic]);
        assert!(said("homeassistant/status", b"offline").unwrap().is_empty());
        assert!(said(&topic, &announcement).unwrap().is_empty());
        let gone = br#"{"dev":{"identifiers":["ocelli/gate/barn"]}}"#;
        let removed = said("homeassistant/device/gate_barn/config", gone).unwrap();
        assert_eq!(removed.values().map(|payload| payload.len()).collect::<Vec<_>>(), [0]);
        assert_eq!(said("ocelli/gate/command/stop", b"{}"), None);
    }
}
