//! The last pictures of events, in memory: what a person wants to see when an event is looked at.

use crate::control::snapshots::Snapshot;
use crate::vision::camera_id::CameraId;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// What they may take together: some 200 pictures of 640x360. The oldest ones go first.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The pictures. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct EventPictures(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The oldest first. Each has an event.
    pictures: VecDeque<(CameraId, Snapshot)>,
    bytes: usize,
}

impl EventPictures {
    /// Keeps the picture of an event; one that is of no event is not kept.
    pub fn keep(&self, camera: &CameraId, snapshot: &Snapshot) {
        if snapshot.event.is_none() || snapshot.jpeg.len() > MOST_BYTES {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += snapshot.jpeg.len();
        kept.pictures.push_back((camera.clone(), snapshot.clone()));
        while kept.bytes > MOST_BYTES
            && let Some((_, oldest)) = kept.pictures.pop_front()
        {
            kept.bytes -= oldest.jpeg.len();
        }
    }

    /// Forgets the pictures of a camera: they are not to be seen any more.
    pub fn forget(&self, camera: &CameraId) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pictures.retain(|(of, _)| of != camera);
        kept.bytes = kept.pictures.iter().map(|(_, picture)| picture.jpeg.len()).sum();
    }

    /// The picture of an event; `None` if it has none, or not any more.
    pub fn of(&self, event: &str) -> Option<Snapshot> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pictures = kept.pictures.iter().rev().map(|(_, picture)| picture);
        pictures.find(|picture| picture.event.as_deref() == Some(event)).cloned()
    }

    /// The ids of the events that have a picture, the newest first.
    pub fn events(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pictures.iter().rev().filter_map(|(_, picture)| picture.event.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::monotonic::Monotonic;
    use crate::vision::picture_source::PictureSource;

    fn picture(event: Option<&str>, bytes: usize) -> Snapshot {
        Snapshot {
            jpeg: vec![0; bytes].into(),
            source: PictureSource::Frame,
            frame: 1,
            captured_at: Monotonic::from_nanos(0),
            captured_at_ms: None,
            event: event.map(str::to_owned),
        }
    }

    #[test]
    fn the_oldest_pictures_go_first_and_only_those_of_events_are_kept() {
        let pictures = EventPictures::default();
        let [yard, gate] = ["yard", "gate"].map(|id| CameraId::new(id).unwrap());
        pictures.keep(&yard, &picture(None, 10));
        for (camera, event) in [(&yard, "a"), (&yard, "b"), (&gate, "c")] {
            pictures.keep(camera, &picture(Some(event), MOST_BYTES / 2));
        }
        pictures.keep(&yard, &picture(Some("too large"), MOST_BYTES + 1));
        assert_eq!(pictures.events(), ["c", "b"]);
        assert!(pictures.of("a").is_none() && pictures.of("c").is_some());
        pictures.forget(&yard);
        pictures.keep(&gate, &picture(Some("d"), MOST_BYTES / 2));
        assert_eq!(pictures.events(), ["d", "c"], "what is forgotten takes no room");
    }
}
