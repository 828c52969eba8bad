//! `[outbox]`.

use serde::{Deserialize, Serialize};

/// `[outbox]`: how events are kept on disk until the broker has acknowledged them, and for reading afterwards.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboxSettings {
    /// The most that events may take on disk, MiB; above it those that were delivered go first, then the oldest,
    /// and are counted.
    pub max_mib: u32,
    /// What a power cut may cost at most: the events of so many seconds, 1 to 60. More of them write less to the disk.
    pub sync_seconds: u32,
    /// How long delivered events are kept for `ocelli events`, hours.
    pub keep_hours: u32,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self { max_mib: 64, keep_hours: 24, sync_seconds: 1 }
    }
}
