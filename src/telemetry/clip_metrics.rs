//! Metrics of clips.

use crate::telemetry::labels::{Counters, integer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a clip.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClipResult {
    /// It is on the disk.
    Kept,
    /// The disk has refused it.
    Refused,
    /// There was no room for it on the disk.
    NoRoom,
    /// No video came of the camera, or none that is played.
    NoVideo,
    /// Earlier ones were not yet written.
    Busy,
}

impl ClipResult {
    const ALL: [Self; 5] = [Self::Kept, Self::Refused, Self::NoRoom, Self::NoVideo, Self::Busy];

    fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Refused => "refused",
            Self::NoRoom => "no_room",
            Self::NoVideo => "no_video",
            Self::Busy => "busy",
        }
    }
}

/// The series of clips, of all cameras together.
#[derive(Debug, Default)]
pub struct ClipMetrics {
    clips: Counters,
    removed: Counter,
    dropped: Counter,
    bytes: Gauge,
}

impl ClipMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Clips of events by what became of them: kept, refused by the disk, no room, no video, busy";
        registry.register("clips", help, self.clips.clone());
        registry.register("clips_removed", "Clips that made room or were too old", self.removed.clone());
        registry.register("clip_frames_dropped", "Frames that are missing in clips", self.dropped.clone());
        registry.register("clip_bytes", "What the clips take on the disk", self.bytes.clone());
        for result in ClipResult::ALL {
            drop(self.clips.get_or_create(&vec![("result", result.name().to_owned())]));
        }
    }

    /// Counts a clip.
    pub fn ended(&self, result: ClipResult) {
        self.clips.get_or_create(&vec![("result", result.name().to_owned())]).inc();
    }

    /// Counts clips that were removed.
    pub fn removed(&self, clips: u64) {
        self.removed.inc_by(clips);
    }

    /// Counts frames that were left out of a clip.
    pub fn dropped(&self, frames: u64) {
        self.dropped.inc_by(frames);
    }

    /// Sets what all clips take.
    pub fn bytes(&self, bytes: u64) {
        self.bytes.set(integer(bytes));
    }
}
