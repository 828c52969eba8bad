//! The clips on the disk, as they are known in memory.

use crate::clips::clip_entry::ClipEntry;
use crate::clips::ring::{RingClip, RingRules, RingSum, Room, make_room};
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
    /// Clips that are gone for everybody, and whose files the disk has not given up: what they take.
    stuck: BTreeMap<ClipKey, u64>,
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

    /// Forgets a clip: no event leads to it any more.
    pub(super) fn remove(&mut self, key: &ClipKey) {
        self.take_out(key);
    }

    /// The same for one whose files are still there: what they take is counted until [`Self::unstuck`].
    pub(super) fn remove_stuck(&mut self, key: &ClipKey, bytes: u64) {
        self.take_out(key);
        self.stuck.insert(key.clone(), bytes);
    }

    /// The files of a clip have gone after all.
    pub(super) fn unstuck(&mut self, key: &ClipKey) {
        self.stuck.remove(key);
    }

    /// Clips whose files could not be removed.
    pub(super) fn stuck(&self) -> Vec<ClipKey> {
        self.stuck.keys().cloned().collect()
    }

    fn take_out(&mut self, key: &ClipKey) {
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

    /// What all of them take, with those whose files could not be removed.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.stuck_bytes()
    }

    /// The clips that have to go, with their bytes, and whether there is room without them.
    pub(super) fn in_the_way(&self, rules: &RingRules, room: Room) -> (Vec<(ClipKey, u64)>, bool) {
        let sum = RingSum { clips: self.clips.len(), bytes: self.bytes, stuck_bytes: self.stuck_bytes() };
        let clips = self.clips.values().map(|entry| RingClip { end_ms: entry.end_ms, bytes: entry.bytes });
        let made = make_room(clips, sum, rules, room);
        let mut all = self.clips.iter().enumerate();
        let removed = made.removed.iter().filter_map(|place| all.find(|(at, _)| at == place));
        (removed.map(|(_, (key, entry))| (key.clone(), entry.bytes)).collect(), made.is_enough)
    }

    fn stuck_bytes(&self) -> u64 {
        self.stuck.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        let rules = RingRules { most_bytes: 12, keep: Duration::from_secs(60), leave_bytes: 0 };
        let room = Room { free_bytes: 1000, open_bytes: 0, next_bytes: 1, now_ms: None };
        let (removed, is_enough) = library.in_the_way(&rules, room);
        assert_eq!((removed.len(), removed[0].0.0, removed[0].1, is_enough), (1, 10, 7, true), "the oldest first");
        let key = &removed[0].0;
        library.remove_stuck(key, 7);
        assert!(library.of("a").is_none() && library.of("c").is_some());
        assert_eq!((library.bytes(), library.stuck().len()), (12, 1), "its file is still there");
        assert_eq!(library.in_the_way(&rules, room).0[0].0.0, 20);
        library.unstuck(key);
        assert_eq!((library.bytes(), library.in_the_way(&rules, room).0.len()), (5, 0));
    }
}
