//! What is kept of a clip beside its video: a small file of JSON.

use crate::vision::camera_id::CameraId;
use serde::{Deserialize, Serialize};

/// The form of the file.
const VERSION: u32 = 1;

/// The longest file that is read.
pub(super) const MAX_BYTES: u64 = 256 << 10;

/// A clip on the disk. Times are milliseconds of Unix time, by the clock as it was then.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClipEntry {
    pub(super) version: u32,
    pub(super) camera: CameraId,
    /// The ids of the events that share it.
    pub(super) events: Vec<String>,
    /// When its first frame came.
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) bytes: u64,
    /// Frames that are missing because the box was too slow.
    pub(super) dropped: u64,
}

impl ClipEntry {
    pub(super) fn new(camera: CameraId, start_ms: i64) -> Self {
        Self { version: VERSION, camera, events: Vec::new(), start_ms, end_ms: start_ms, bytes: 0, dropped: 0 }
    }

    /// Of a file. `None`: it is damaged, or of a later version.
    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|entry: &Self| entry.version == VERSION)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_nothing_else_is() {
        let entry = ClipEntry { events: vec!["5f1c-7".into()], ..ClipEntry::new(CameraId::new("yard").unwrap(), 7) };
        assert_eq!(ClipEntry::from_json(&entry.to_json()), Some(entry.clone()));
        let later = ClipEntry { version: 2, ..entry.clone() };
        for bytes in [&b""[..], b"{}", &entry.to_json()[..20], &later.to_json()] {
            assert_eq!(ClipEntry::from_json(bytes), None);
        }
    }
}
