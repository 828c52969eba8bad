//! The tracker of one camera: detections in, events out.

use crate::tracking::detections::FrameDetections;
use crate::tracking::event::TrackEvent;
use crate::tracking::frame_pace::FramePace;
use crate::tracking::label_life::LabelLives;
use crate::tracking::named_detection::NamedDetection;
use crate::tracking::objects::Objects;
use crate::tracking::rules::TrackingRules;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// The time that a frame may take from its capture to its result. A tick does not know which frames are still on their
/// way, so it waits this much longer before it ends an object.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// Pictures of a still scene come more often, unless the camera or its model has trouble.
const STILL_LASTS: Duration = Duration::from_secs(120);

/// How long an object on trial is looked at more closely.
const TRIAL: Duration = Duration::from_secs(3);

/// How often objects on trial are worth that.
const TRIAL_PERIOD: Duration = Duration::from_secs(300);

/// Tracks the objects and image labels of one camera. Its work and memory are bounded, whatever the input.
#[derive(Clone, Debug)]
pub struct CameraTracker {
    rules: TrackingRules,
    pace: FramePace,
    objects: Objects,
    labels: LabelLives,
    next_track: u64,
    /// By so much the newest frame was late.
    lag: Duration,
    /// When a picture showed what was known, if that was the newest.
    still_at: Option<Monotonic>,
    /// Since when an object on trial has drawn attention.
    trial_since: Option<Monotonic>,
}

/// The tracker's result for one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackedFrame {
    /// The track of each detection; `None` if it was filtered out, has not begun, or is an image label.
    pub tracks: Vec<Option<u64>>,
    /// For each detection whether it passed the camera's labels, thresholds and masks. A detection below its threshold
    /// passes only if it continues something that has begun; one that the model keeps back, only if the settings say so.
    pub kept: Vec<bool>,
    /// First the events of what ended before this frame, then of what began or changed in it.
    pub events: Vec<TrackEvent>,
    /// The number of objects that have begun and not ended, by label; 1 for an image label.
    pub in_view: BTreeMap<String, u32>,
    /// True if an object moves, or one may have just begun: the camera is worth following.
    pub moves: bool,
}

impl CameraTracker {
    /// A tracker without objects.
    pub fn new(rules: TrackingRules) -> Self {
        Self {
            rules,
            pace: FramePace::default(),
            objects: Objects::default(),
            labels: LabelLives::default(),
            next_track: 1,
            lag: Duration::ZERO,
            still_at: None,
            trial_since: None,
        }
    }

    /// Processes the detections of the frame that was captured at `at`.
    ///
    /// Two units may finish two frames of a camera in the wrong order. A frame that is not newer than the newest one is only
    /// filtered: its detections belong to no track.
    pub fn observe(&mut self, unfiltered: &[NamedDetection<'_>], at: Monotonic) -> TrackedFrame {
        let detections = FrameDetections::new(&self.rules, unfiltered);
        let mut tracks = vec![None; unfiltered.len()];
        if !self.pace.advance(at) {
            let in_view = self.in_view();
            return TrackedFrame { tracks, kept: detections.is_strong, events: Vec::new(), in_view, moves: false };
        }
        let was_still = self.still_at.take().is_some();
        let lost_after = self.pace.lost_after(self.rules.lost_after);
        let mut events = self.objects.end_lost(lost_after, at);
        events.extend(self.labels.end_lost(lost_after, at));

        let (track_of, object_events) =
            self.objects.observe(&detections.objects, &self.rules, (at, &self.pace), was_still, &mut self.next_track);
        events.extend(object_events);
        for (object, track) in detections.objects.iter().zip(track_of) {
            tracks[object.index] = track;
        }
        for &(duplicate, object) in &detections.duplicates {
            tracks[duplicate] = tracks[object];
        }
        events.extend(self.labels.observe(&detections.labels, &self.rules, at, was_still, &mut self.next_track));

        let mut kept = detections.is_strong;
        let may_keep = |index: usize| !unfiltered[index].is_weak || self.rules.publish_weak;
        for (index, track) in tracks.iter().enumerate() {
            kept[index] |= track.is_some() && may_keep(index);
        }
        for (label, detection) in &detections.labels {
            kept[detection.index] |= self.labels.is_present(label) && may_keep(detection.index);
        }
        let moves = self.objects.moves(at) || self.is_trial_new(at);
        TrackedFrame { tracks, kept, events, in_view: self.in_view(), moves }
    }

    /// A picture that was captured at `at` shows what the one before showed: what has begun is where it was.
    pub(crate) fn still(&mut self, at: Monotonic) {
        // A frame that was captured before it may still be in a unit.
        self.still_at = self.still_at.max(Some(at));
        self.objects.still(at);
        self.labels.still(at);
    }

    /// The next frame was decoded so long after its capture.
    pub(crate) fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// True if something on trial is seen that is worth a closer look. What flickers would otherwise cost one for ever.
    fn is_trial_new(&mut self, at: Monotonic) -> bool {
        if !self.objects.has_trial(at) {
            return false;
        }
        if self.trial_since.is_none_or(|since| at.since(since) > TRIAL_PERIOD) {
            self.trial_since = Some(at);
        }
        self.trial_since.is_some_and(|since| at.since(since) < TRIAL)
    }

    /// Ends what has been unseen for too long and reports changes that had to wait, even if no frames arrive. Call it about
    /// once a second, with the current time.
    pub(crate) fn tick(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        let mut events = Vec::new();
        // While nothing changes nothing goes, however far apart the pictures are: but for what looks no longer show.
        if self.still_at.is_some_and(|at| now.since(at) < STILL_LASTS) {
            events.extend(self.objects.end_unseen(now));
            events.extend(self.labels.end_unseen(now));
        } else {
            let lost_after = self.pace.lost_after(self.rules.lost_after) + IN_FLIGHT + self.lag;
            events.extend(self.objects.end_lost(lost_after, now));
            events.extend(self.labels.end_lost(lost_after, now));
        }
        events.extend(self.objects.changes(&self.rules, now));
        events.extend(self.labels.changes(&self.rules, now));
        events
    }

    /// A number of its own for an event that is about no object.
    pub(crate) fn take_number(&mut self) -> u64 {
        self.next_track += 1;
        self.next_track - 1
    }

    /// Ends everything, because the camera is lost or the daemon stops. Frames captured up to `now` are late afterwards.
    pub(crate) fn end_all(&mut self, now: Monotonic) -> Vec<TrackEvent> {
        self.pace.restart(now);
        self.still_at = None;
        let mut events = self.objects.end_all(now);
        events.extend(self.labels.end_all(now));
        events
    }

    /// The number of objects that have begun and not ended, by label; 1 for an image label. Labels without any are absent.
    pub(crate) fn in_view(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for label in self.objects.present().chain(self.labels.present()) {
            *counts.entry(label.to_owned()).or_default() += 1;
        }
        counts
    }
}
