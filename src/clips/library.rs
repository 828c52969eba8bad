//! The clips on the disk, as they are known in memory.

use crate::clips::clip_entry::ClipEntry;
use crate::clips::ring::RingClip;
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, HashMap};

/// Names a clip on the disk: when it begins, in milliseconds of Unix time, and its camera.
pub(super) type ClipKey = (i64, CameraId);

/// All clips, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Library {
    clips: BTreeMap<ClipKey, ClipEntry>,
    by_event: HashMap<String, ClipKey>,
    bytes: u64,
}

impl Library {
    pub(super) fn add(&mut self, entry: ClipEntry) {
        let key = (entry.start_ms, entry.camera.clone());
        self.remove(&key);
        for event in &entry.events {
            self.by_event.insert(event.clone(), key.clone());
        }
        self.bytes += entry.bytes;
        self.clips.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: &ClipKey) {
        let Some(entry) = self.clips.remove(key) else { return };
        self.bytes -= entry.bytes;
        for event in &entry.events {
            if self.by_event.get(event) == Some(key) {
                self.by_event.remove(event);
            }
        }
    }

    /// The clip of an event.
    pub(super) fn of(&self, event: &str) -> Option<&ClipKey> {
        self.by_event.get(event)
    }

    /// What all of them take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All of them as the ring sees them, the oldest first.
    pub(super) fn for_ring(&self) -> (Vec<ClipKey>, Vec<RingClip>) {
        let ring =
            |(key, entry): (&ClipKey, &ClipEntry)| (key.clone(), RingClip { end_ms: entry.end_ms, bytes: entry.bytes });
        self.clips.iter().map(ring).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_found_by_each_of_its_events_until_it_is_removed() {
        let entry = |start_ms, events: &[&str], bytes| ClipEntry {
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            bytes,
            ..ClipEntry::new(CameraId::new("yard").unwrap(), start_ms)
        };
        let mut library = Library::default();
        library.add(entry(20, &["c"], 5));
        library.add(entry(10, &["a", "b"], 7));
        assert_eq!((library.of("b").unwrap().0, library.of("c").unwrap().0, library.bytes()), (10, 20, 12));
        let (keys, ring) = library.for_ring();
        assert_eq!((keys[0].0, ring[0].bytes), (10, 7), "the oldest first");
        library.remove(&keys[0]);
        assert!(library.of("a").is_none() && library.of("c").is_some());
        assert_eq!(library.bytes(), 5);
    }
}
