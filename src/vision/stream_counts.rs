//! What became of everything that a camera sent on one connection.

use crate::vision::attention::Attention;
use crate::vision::stream_signal::StreamSignal;
use crate::vision::tamper::TamperKind;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Frames that were received and not decoded, by reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SkippedFrames {
    /// They came before the first keyframe of a connection: nothing can be decoded without it.
    pub before_keyframe: u64,
    /// Decoding was too slow, so it went on at a newer keyframe.
    pub behind: u64,
    /// The settings ask for keyframes only, or it is a main stream, of which only those are kept.
    pub keyframes_only: u64,
    /// They can be decoded on their own, and were not due at the rate that is analysed; of a main stream: no snapshot wanted
    /// them.
    pub not_due: u64,
    /// The scene was still when they came.
    pub still: u64,
    /// The units have no time for them.
    pub rationed: u64,
    /// The decoder made no picture of them, or a damaged one.
    pub undecodable: u64,
    /// They waited when the connection was closed.
    pub closed: u64,
}

impl SkippedFrames {
    /// Each reason by its name in metrics and JSON, with its count.
    pub fn by_reason(&self) -> [(&'static str, u64); 8] {
        let Self { before_keyframe, behind, keyframes_only, not_due, still, rationed, undecodable, closed } = *self;
        [
            ("before_keyframe", before_keyframe),
            ("behind", behind),
            ("keyframes_only", keyframes_only),
            ("not_due", not_due),
            ("still", still),
            ("rationed", rationed),
            ("undecodable", undecodable),
            ("closed", closed),
        ]
    }

    /// The sum of all reasons.
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, count)| count).sum()
    }
}

/// The counts of one connection, or of all connections of a camera.
///
/// Every frame has one outcome: `received = decoded + skipped.total() + waiting`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct StreamCounts {
    /// RTP packets received; over HTTP, pieces of the answer; of a file, frames. Grows while the camera sends, even if the decoder waits for a keyframe.
    pub packets: u64,
    /// RTP packets that are missing in the numbering of the camera.
    pub packets_lost: u64,
    /// Bytes of the encoded frames.
    pub bytes: u64,
    /// Encoded frames received (access units).
    pub received: u64,
    /// Frames decoded.
    pub decoded: u64,
    /// Frames received and not decoded.
    pub skipped: SkippedFrames,
    /// Frames that wait for the decoder or are in it.
    pub waiting: u64,
    /// Milliseconds between the two newest keyframes; 0 until there are two.
    pub keyframe_interval_ms: u32,
    /// How far the clock of the camera is ahead of that of the box, in milliseconds; `None` until the camera has told its
    /// time. Contains the delay of the network.
    pub clock_offset_ms: Option<i64>,
    /// What is decoded at the moment.
    pub attention: Attention,
    /// What was done to the camera, if that is to be told and it is watched.
    pub tampered: Option<TamperKind>,
    /// Whether frames between keyframes tell that something moves, if it is to be watched.
    pub signal: Option<StreamSignal>,
    /// Messages of the camera itself that something moves, if it is asked for them.
    pub motion_events: u64,
}

impl StreamCounts {
    /// Frames that the settings do not leave out: those that are to be decoded when due.
    pub fn wanted(&self) -> u64 {
        let SkippedFrames { before_keyframe, keyframes_only, .. } = self.skipped;
        self.received.saturating_sub(before_keyframe + keyframes_only)
    }

    /// True when every frame has its one outcome.
    pub fn closes(&self) -> bool {
        self.received == self.decoded + self.skipped.total() + self.waiting
    }

    /// The final counts of a connection that is closed: what waited is not decoded any more.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.skipped.closed += std::mem::take(&mut self.waiting);
        self
    }
}

impl AddAssign for StreamCounts {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.packets_lost += other.packets_lost;
        self.bytes += other.bytes;
        self.motion_events += other.motion_events;
        self.received += other.received;
        self.decoded += other.decoded;
        self.waiting += other.waiting;
        if other.keyframe_interval_ms > 0 {
            self.keyframe_interval_ms = other.keyframe_interval_ms;
        }
        self.clock_offset_ms = other.clock_offset_ms.or(self.clock_offset_ms);
        (self.attention, self.tampered, self.signal) = (other.attention, other.tampered, other.signal);
        let SkippedFrames { before_keyframe, behind, keyframes_only, not_due, still, rationed, undecodable, closed } =
            other.skipped;
        self.skipped.before_keyframe += before_keyframe;
        self.skipped.behind += behind;
        self.skipped.keyframes_only += keyframes_only;
        self.skipped.not_due += not_due;
        self.skipped.still += still;
        self.skipped.rationed += rationed;
        self.skipped.undecodable += undecodable;
        self.skipped.closed += closed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_when_a_connection_is_closed_is_counted_once() {
        let skipped = SkippedFrames { before_keyframe: 7, behind: 2, keyframes_only: 1, ..SkippedFrames::default() };
        let first = StreamCounts { received: 25, decoded: 12, skipped, waiting: 3, ..StreamCounts::default() };
        assert!(first.closes() && first.closed().closes() && first.closed().skipped.closed == 3);
        let mut total = first.closed();
        total += first;
        assert!(total.closes() && total.waiting == 3 && total.received == 50 && total.wanted() == 34, "{total:?}");
    }
}
