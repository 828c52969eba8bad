//! Events about an object or an image label: it began, changed or ended.

use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;

/// What happened to an object or image label.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventKind {
    /// It was seen often enough to count as present. The first event of a track, once.
    Began,
    /// It entered another region, its best confidence grew by `best_step`, or its label changed. At most once a second for
    /// each track; changes within that second are reported together.
    Changed,
    /// It was unseen for too long, or the camera was lost. The last event of a track, once.
    Ended,
}

impl EventKind {
    /// The name in published events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Changed => "changed",
            Self::Ended => "ended",
        }
    }
}

/// One event. Its fields hold at the time [`TrackEvent::at`].
#[derive(Clone, Debug, PartialEq)]
pub struct TrackEvent {
    /// Whether it began, changed or ended.
    pub kind: EventKind,
    /// The number of the track: from 1, unique for its camera while the daemon runs.
    pub track: u64,
    /// The label of most sightings; later ones weigh more.
    pub label: String,
    /// When it was first seen, which is before its `Began` event.
    pub began_at: Monotonic,
    /// When the event happened. It never decreases between the events of a track.
    pub at: Monotonic,
    /// When it was last seen; only in `Ended`.
    pub ended_at: Option<Monotonic>,
    /// The best confidence so far, 0..=1.
    pub confidence: f32,
    /// Its box at the best confidence; `None` for an image label.
    pub best_box: Option<NormalizedBox>,
    /// When it had the best confidence.
    pub best_at: Monotonic,
    /// Its box when it was last seen; `None` for an image label.
    pub bounding_box: Option<NormalizedBox>,
    /// True if the frame of this event is the best so far: a snapshot is worth taking now.
    pub is_new_best: bool,
    /// The regions that it has stood in, in the order of entering.
    pub regions: Vec<String>,
}
