//! What is told about an object or an image label: it began, changed, ended.

use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;

/// Which part of a life an event tells.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EventKind {
    /// It was seen often enough to be there. Once a track, first.
    Began,
    /// It has entered a further region, its best confidence has grown by `best_step`, or its label has settled
    /// differently. At most once a second and track: what happens meanwhile is told together.
    Changed,
    /// It was unseen for too long, or the camera was lost. Once a track, last.
    Ended,
}

impl EventKind {
    /// As the contract spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Changed => "changed",
            Self::Ended => "ended",
        }
    }
}

/// One event. What it says holds at [`TrackEvent::at`].
#[derive(Clone, Debug, PartialEq)]
pub struct TrackEvent {
    /// Which part of its life.
    pub kind: EventKind,
    /// Its number: from 1, unique on its camera while the daemon runs, never used again.
    pub track: u64,
    /// What most sightings, the later ones above all, took it for.
    pub label: String,
    /// When it was first seen, which is before it was seen often enough.
    pub began_at: Monotonic,
    /// When this was noticed. Never goes back between the events of a track.
    pub at: Monotonic,
    /// When it was last seen; only of what has ended.
    pub ended_at: Option<Monotonic>,
    /// The best confidence so far, 0..=1.
    pub confidence: f32,
    /// Where it was at its best; none for an image label.
    pub best_box: Option<NormalizedBox>,
    /// When it was at its best.
    pub best_at: Monotonic,
    /// Where it was last seen; none for an image label.
    pub bounding_box: Option<NormalizedBox>,
    /// The frame of this event is the one that shows it best so far: a snapshot of it is worth taking now.
    pub is_new_best: bool,
    /// The regions it has stood in, in the order in which it entered them.
    pub regions: Vec<String>,
}
