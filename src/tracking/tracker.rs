//! The tracker of one camera: frames in, events out.

use crate::tracking::event::TrackEvent;
use crate::tracking::found::{Found, Seen};
use crate::tracking::frame_pace::FramePace;
use crate::tracking::label_life::LabelLives;
use crate::tracking::objects::Objects;
use crate::tracking::rules::TrackingRules;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a frame may take from its capture until a unit has looked at it. A tick knows the time, not the frames that
/// are still on their way, so it waits that much longer.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Follows what one camera sees. Its work and memory are bounded whatever it is given.
#[derive(Clone, Debug)]
pub(crate) struct CameraTracker {
    rules: TrackingRules,
    pace: FramePace,
    objects: Objects,
    labels: LabelLives,
    next_track: u64,
}

/// What a frame came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// For each detection the track it belongs to: `None` if it was filtered out, has not begun, or is an image label.
    pub tracks: Vec<Option<u64>>,
    /// For each detection whether it passed the camera's labels, thresholds and masks. What lies below its threshold
    /// has passed only where it shows what has begun.
    pub kept: Vec<bool>,
    /// What began or changed in this frame, and what ended before it, the latter first.
    pub events: Vec<TrackEvent>,
    /// See [`CameraTracker::in_view`].
    pub in_view: BTreeMap<String, u32>,
}

impl CameraTracker {
    /// A tracker that has seen nothing.
    pub(crate) fn new(rules: TrackingRules) -> Self {
        Self {
            rules,
            pace: FramePace::default(),
            objects: Objects::default(),
            labels: LabelLives::default(),
            next_track: 1,
        }
    }

    /// Takes in all that was seen in the frame captured at `at`.
    ///
    /// Two units may finish two frames of a camera in the wrong order. A frame that is not newer than the newest is
    /// only filtered: its detections belong to no track.
    pub(crate) fn observe(&mut self, seen: &[Seen<'_>], at: Monotonic) -> Observed {
        let found = Found::new(&self.rules, seen);
        let mut tracks = vec![None; seen.len()];
        if !self.pace.advance(at) {
            let in_view = self.in_view();
            return Observed { tracks, kept: found.is_strong, events: Vec::new(), in_view };
        }
        let lost_after = self.pace.lost_after(self.rules.lost_after);
        let mut events = self.objects.end_lost(lost_after, at);
        events.extend(self.labels.end_lost(lost_after, at));

        let (track_of, told) = self.objects.observe(&found.objects, &self.rules, at, &mut self.next_track);
        events.extend(told);
        for (object, track) in found.objects.iter().zip(track_of) {
            tracks[object.index] = track;
        }
        for &(copy, object) in &found.copies {
            tracks[copy] = tracks[object];
        }
        events.extend(self.labels.observe(&found.labels, &self.rules, at, &mut self.next_track));

        let mut kept = found.is_strong;
        for (kept, track) in kept.iter_mut().zip(&tracks) {
            *kept |= track.is_some();
        }
        for (label, found) in &found.labels {
            kept[found.index] |= self.labels.is_present(label);
        }
        Observed { tracks, kept, events, in_view: self.in_view() }
    }

    /// Ends what has been unseen for too long, and tells changes that had to wait, when no frames come.
    /// To be called about once a second; `now` is the time, not that of a frame.
    pub(crate) fn tick(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        let lost_after = self.pace.lost_after(self.rules.lost_after) + UNDER_WAY;
        let mut events = self.objects.end_lost(lost_after, now);
        events.extend(self.labels.end_lost(lost_after, now));
        events.extend(self.objects.changes(&self.rules, now));
        events.extend(self.labels.changes(&self.rules, now));
        events
    }

    /// Ends everything: the camera is lost, or the daemon stops. Frames captured up to `now` that still come are late.
    pub(crate) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        self.pace.restart(now);
        let mut events = self.objects.end_all(now);
        events.extend(self.labels.end_all(now));
        events
    }

    /// How many objects that have begun and not ended there are, by label; 1 for an image label that is there.
    /// Labels of which there is none are absent.
    pub(crate) fn in_view(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for label in self.objects.present().chain(self.labels.present()) {
            *counts.entry(label.to_owned()).or_default() += 1;
        }
        counts
    }
}
