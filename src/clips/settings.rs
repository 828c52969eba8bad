//! `[clips]`.

use serde::{Deserialize, Serialize};

/// `[clips]`: video of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClipSettings {
    /// Make clips of all cameras that do not say otherwise.
    pub enabled: bool,
    /// What a clip has before its event, 0..=30 seconds.
    pub before_seconds: f32,
    /// What it has after the end of its last event, 0..=60 seconds.
    pub after_seconds: f32,
    /// The longest clip, 5..=600 seconds.
    pub longest_seconds: f32,
    /// What all of them may take together, 1..=1048576; the oldest go first.
    pub max_megabytes: u32,
    /// Days after which they are removed, 1..=3650.
    pub days: u32,
}

impl Default for ClipSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            before_seconds: 5.0,
            after_seconds: 5.0,
            longest_seconds: 60.0,
            max_megabytes: 1024,
            days: 7,
        }
    }
}
