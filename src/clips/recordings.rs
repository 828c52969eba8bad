//! When a clip begins, which events share it, and when it ends.

use crate::tracking::EventKind;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Names a clip while it is made; never used twice.
pub(super) type ClipId = u64;

/// Clips of one camera at a time: one that is being made, and one that is not yet wholly on the disk.
const MOST_OF_CAMERA: usize = 2;

/// The events that are noted of a clip. A later one is said to have none, since nothing would lead to it.
const MOST_EVENTS: usize = 1000;

/// How long clips are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ClipTimes {
    /// From the end of the last object to the end of the clip.
    pub(super) after: Duration,
    /// From the event that begins it to its end, at most.
    pub(super) longest: Duration,
}

/// What an event means for the clips of its camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Noted {
    /// It has no clip.
    Without,
    /// It shares the one that is being made.
    Shares,
    /// One is to be made.
    Begins(ClipId),
    /// One would be made, but earlier ones of the camera are not written yet.
    Busy,
}

/// All clips that are being made.
#[derive(Debug)]
pub(super) struct Recordings {
    times: ClipTimes,
    open: BTreeMap<ClipId, Recording>,
    next: ClipId,
}

#[derive(Debug)]
struct Recording {
    camera: CameraId,
    latest: Monotonic,
    /// Objects in view that began meanwhile.
    tracks: BTreeSet<u64>,
    /// Set while none of them is in view.
    ends_at: Option<Monotonic>,
    /// Nothing is added to it any more.
    is_stopped: bool,
    events: Vec<String>,
}

impl Recordings {
    pub(super) fn new(times: ClipTimes) -> Self {
        Self { times, open: BTreeMap::new(), next: 0 }
    }

    /// Takes in an event of a camera of which clips are made. `event`: its id.
    pub(super) fn event(
        &mut self,
        camera: &CameraId,
        track: u64,
        kind: EventKind,
        event: &str,
        now: Monotonic,
    ) -> Noted {
        let after = self.times.after;
        if let Some(open) = self.open.values_mut().find(|open| open.camera == *camera && !open.is_over(now)) {
            return if open.take(track, kind, event, now + after) { Noted::Shares } else { Noted::Without };
        }
        if kind != EventKind::Began {
            return Noted::Without;
        }
        if self.open.values().filter(|open| open.camera == *camera).count() >= MOST_OF_CAMERA {
            return Noted::Busy;
        }
        self.next += 1;
        let recording = Recording {
            camera: camera.clone(),
            latest: now + self.times.longest,
            tracks: BTreeSet::from([track]),
            ends_at: None,
            is_stopped: false,
            events: vec![event.to_owned()],
        };
        self.open.insert(self.next, recording);
        Noted::Begins(self.next)
    }

    /// True once a clip has all that belongs to it.
    pub(super) fn is_over(&self, clip: ClipId, now: Monotonic) -> bool {
        self.open.get(&clip).is_none_or(|open| open.is_over(now))
    }

    /// Nothing is added to a clip any more: its camera is lost, or the disk refuses it.
    pub(super) fn stop(&mut self, clip: ClipId) {
        if let Some(open) = self.open.get_mut(&clip) {
            open.is_stopped = true;
        }
    }

    /// Nothing is added to any clip any more.
    pub(super) fn stop_all(&mut self) {
        self.open.values_mut().for_each(|open| open.is_stopped = true);
    }

    /// The events of a clip so far.
    pub(super) fn events(&self, clip: ClipId) -> Vec<String> {
        self.open.get(&clip).map(|open| open.events.clone()).unwrap_or_default()
    }

    /// A clip is on the disk, or lost.
    pub(super) fn forget(&mut self, clip: ClipId) {
        self.open.remove(&clip);
    }

    /// True if a clip with this event is being made.
    pub(super) fn has(&self, event: &str) -> bool {
        self.open.values().any(|open| open.events.iter().any(|other| other == event))
    }

    /// How many are being made.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

impl Recording {
    fn is_over(&self, now: Monotonic) -> bool {
        self.is_stopped || now >= self.latest || self.ends_at.is_some_and(|at| now >= at)
    }

    /// Goes on for an event. False if it is one too many to be found by.
    fn take(&mut self, track: u64, kind: EventKind, event: &str, end: Monotonic) -> bool {
        let is_noted = self.events.len() < MOST_EVENTS;
        if is_noted {
            self.events.push(event.to_owned());
        }
        match kind {
            EventKind::Began => {
                self.tracks.insert(track);
                self.ends_at = None;
            }
            EventKind::Changed => {}
            EventKind::Ended => {
                if self.tracks.remove(&track) && self.tracks.is_empty() {
                    self.ends_at = Some(end);
                }
            }
        }
        is_noted
    }
}

#[cfg(test)]
mod tests;
