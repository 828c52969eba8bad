//! The settings of `[mqtt.home_assistant]`.

use crate::publish::label_level::label_level;
use serde::{Deserialize, Serialize};

/// The most labels. With more of them, or longer names, a camera's announcement may exceed 16 KiB.
pub const MAX_LABELS: usize = 10;

/// The longest label of interest.
pub const MAX_LABEL_BYTES: usize = 24;

/// The longest topic prefixes, ours and Home Assistant's.
pub const MAX_PREFIX_BYTES: usize = 48;

/// `[mqtt.home_assistant]`: announces cameras by Home Assistant's device discovery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeAssistantSettings {
    /// Announce cameras. Off by default, because only Home Assistant reads these messages.
    pub enabled: bool,
    /// Home Assistant's discovery prefix.
    pub discovery_prefix: String,
    /// Topic of Home Assistant's birth message `online`, after which cameras are announced again. In Home Assistant too it
    /// is independent of the discovery prefix.
    pub status_topic: String,
    /// Labels that become entities of each camera, at most 10. The default are labels of the model that comes with ocelli.
    /// A label that the camera's model does not have is skipped.
    pub labels: Vec<String>,
}

impl Default for HomeAssistantSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            discovery_prefix: "homeassistant".into(),
            status_topic: "homeassistant/status".into(),
            labels: ["person", "car", "truck", "bicycle", "dog", "cat"].map(String::from).to_vec(),
        }
    }
}

impl HomeAssistantSettings {
    /// Mistakes that the types cannot rule out: a key below `mqtt` and what is wrong with it. `topic_prefix` is
    /// `mqtt.topic_prefix`, whose length is only limited here. Nothing is checked while discovery is disabled.
    pub fn mistakes(&self, topic_prefix: &str) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if !self.enabled {
            return wrong;
        }
        if topic_prefix.len() > MAX_PREFIX_BYTES {
            let what = format!("must be at most {MAX_PREFIX_BYTES} bytes with Home Assistant's discovery");
            wrong.push(("topic_prefix".into(), what));
        }
        for (key, topic) in [("discovery_prefix", &self.discovery_prefix), ("status_topic", &self.status_topic)] {
            let is_level = |level: &str| !level.is_empty() && !level.contains(['+', '#', '\0']);
            if topic.len() > MAX_PREFIX_BYTES || !topic.split('/').all(is_level) {
                let what =
                    format!("must be topic levels without `+`, `#` and empty ones, at most {MAX_PREFIX_BYTES} bytes");
                wrong.push((format!("home_assistant.{key}"), what));
            }
        }
        if self.labels.len() > MAX_LABELS {
            let what = format!("must be at most {MAX_LABELS}, so that a camera's announcement fits 16 KiB");
            wrong.push(("home_assistant.labels".into(), what));
        }
        for (index, label) in self.labels.iter().enumerate() {
            wrong.extend(
                self.mistake_in_label(index, label).map(|what| (format!("home_assistant.labels[{index}]"), what)),
            );
        }
        wrong
    }

    fn mistake_in_label(&self, index: usize, label: &str) -> Option<String> {
        if label.trim().is_empty() || label.len() > MAX_LABEL_BYTES || label.contains(char::is_control) {
            return Some(format!("must be 1 to {MAX_LABEL_BYTES} bytes without control characters"));
        }
        let shares_level = |other: &&String| label_level(other) == label_level(label);
        let other = self.labels[..index].iter().find(shares_level)?;
        Some(format!("`{label}` has the same topic as `{other}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled() -> HomeAssistantSettings {
        HomeAssistantSettings { enabled: true, ..HomeAssistantSettings::default() }
    }

    fn check(settings: &HomeAssistantSettings, topic_prefix: &str, keys: &[&str]) {
        let mistakes = settings.mistakes(topic_prefix);
        assert_eq!(mistakes.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), keys, "{mistakes:?}");
    }

    #[test]
    fn it_is_off_by_default_and_its_defaults_are_in_order() {
        assert!(!HomeAssistantSettings::default().enabled);
        check(&enabled(), "ocelli", &[]);
    }

    #[test]
    fn what_would_make_too_long_a_message_is_refused() {
        let labels = (0..11).map(|index| format!("label {index}")).collect();
        check(&HomeAssistantSettings { labels, ..enabled() }, "ocelli", &["home_assistant.labels"]);
        let labels = vec!["x".repeat(25)];
        check(&HomeAssistantSettings { labels, ..enabled() }, "ocelli", &["home_assistant.labels[0]"]);
        check(&enabled(), &"x".repeat(49), &["topic_prefix"]);
    }

    #[test]
    fn labels_that_share_a_topic_are_refused() {
        let labels = vec!["traffic light".into(), "person".into(), "Traffic_Light".into()];
        check(&HomeAssistantSettings { labels, ..enabled() }, "ocelli", &["home_assistant.labels[2]"]);
    }

    #[test]
    fn topics_with_wildcards_are_refused() {
        let (discovery_prefix, status_topic) = ("home/#".into(), "home//status".into());
        let settings = HomeAssistantSettings { discovery_prefix, status_topic, ..enabled() };
        check(&settings, "ocelli", &["home_assistant.discovery_prefix", "home_assistant.status_topic"]);
    }

    #[test]
    fn what_is_switched_off_is_not_looked_at() {
        check(&HomeAssistantSettings { labels: vec![String::new()], ..HomeAssistantSettings::default() }, "p", &[]);
    }
}
