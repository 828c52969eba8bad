//! Whether an open connection is alive, and how many frames a second it brings, by its counts.
//!
//! Packets are life, not pictures: a camera with a minute between its keyframes is as alive as one that sends 60 pictures a
//! second.

use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::time::Duration;

/// Packets that never make a frame are no life either. A frame may take this long: 600 kB at 10 kB/s.
const LONGEST_FRAME: Duration = Duration::from_secs(60);

/// A camera that sends and has had no keyframe for so long will hardly send another. The longest groups of pictures that smart
/// codecs make take a minute or a few.
const LONGEST_GROUP: Duration = Duration::from_secs(600);

/// A connection usually has its first picture before this. Only later the operator is told what it waits for.
const WORTH_TELLING: Duration = Duration::from_secs(3);

/// One open connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StreamLife {
    counts: StreamCounts,
    /// When the first packets were counted.
    first_packet_at: Option<Monotonic>,
    packet_at: Monotonic,
    frame_at: Monotonic,
    /// When a frame came that can be decoded.
    wanted_at: Monotonic,
    /// When frames were last counted for the rate.
    rated_at: Monotonic,
    rate: Option<f64>,
}

impl StreamLife {
    /// A connection that begins at `now`.
    pub(super) fn new(now: Monotonic) -> Self {
        let counts = StreamCounts::default();
        Self { counts, first_packet_at: None, packet_at: now, frame_at: now, wanted_at: now, rated_at: now, rate: None }
    }

    /// Takes in the counts since the connection began.
    pub(super) fn progress(&mut self, counts: StreamCounts, now: Monotonic) {
        if counts.packets > self.counts.packets {
            self.packet_at = now;
            self.first_packet_at.get_or_insert(now);
        }
        if counts.received > self.counts.received {
            self.frame_at = now;
        }
        let wanted = counts.wanted().saturating_sub(self.counts.wanted());
        if wanted > 0 {
            let latest = wanted as f64 / now.since(self.rated_at).as_secs_f64().max(0.1);
            self.rate = Some(self.rate.map_or(latest, |rate| rate + 0.3 * (latest - rate)));
            (self.rated_at, self.wanted_at) = (now, now);
        }
        self.counts = counts;
    }

    /// A picture of the connection was decoded.
    pub(super) fn decoded(&mut self, now: Monotonic) {
        (self.packet_at, self.frame_at) = (now, now);
        if self.counts.wanted() == 0 {
            self.rated_at = now;
        }
    }

    /// Moves the deadlines by `gap`, for which the daemon was suspended.
    pub(super) fn paused(&mut self, gap: Duration) {
        for at in [&mut self.packet_at, &mut self.frame_at, &mut self.wanted_at] {
            *at = *at + gap;
        }
    }

    /// Why it counts as stalled by `now`, if it does: `stall` is how long it may bring nothing.
    pub(super) fn stalled(&self, stall: Duration, now: Monotonic) -> Option<String> {
        if now.since(self.packet_at) > stall {
            return Some(format!("nothing was received for {:.0} s", stall.as_secs_f64()));
        }
        let limit = LONGEST_FRAME.max(stall);
        let seconds = limit.as_secs();
        if self.has_begun() && now.since(self.frame_at) > limit {
            return Some(format!("packets arrive, but no whole frame did for {seconds} s"));
        }
        let minutes = LONGEST_GROUP.as_secs() / 60;
        let is_stalled = self.has_begun() && now.since(self.wanted_at) > LONGEST_GROUP;
        is_stalled.then(|| format!("frames arrive, but no keyframe did for {minutes} min"))
    }

    /// True once a packet has come.
    pub(super) fn has_begun(&self) -> bool {
        self.first_packet_at.is_some()
    }

    /// What a connection without a picture waits for, if that takes long.
    pub(super) fn waits_for(&self, now: Monotonic) -> Option<&'static str> {
        self.first_packet_at.filter(|first| now.since(*first) >= WORTH_TELLING)?;
        let skipped = &self.counts.skipped;
        Some(match () {
            () if self.counts.received == 0 => "packets arrive, and no whole frame yet",
            () if skipped.undecodable > 0 => "frames arrive, and the decoder makes no picture of them",
            () if skipped.before_keyframe == self.counts.received => "frames arrive, and the first keyframe is awaited",
            () => "frames arrive, and none is decoded yet",
        })
    }

    /// What became of everything that it brought.
    pub(super) fn counts(&self) -> StreamCounts {
        self.counts
    }

    /// Frames a second that can be decoded: a moving average; `None` until some have come.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::stream_counts::SkippedFrames;

    const STALL: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn packets_keep_a_connection_alive_for_a_minute_without_a_frame_and_no_longer() {
        let mut life = StreamLife::new(at(0));
        for second in 1..=60 {
            life.progress(StreamCounts { packets: second, ..StreamCounts::default() }, at(second));
            assert_eq!(life.stalled(STALL, at(second)), None, "{second} s");
        }
        assert_eq!(life.waits_for(at(60)), Some("packets arrive, and no whole frame yet"));
        life.progress(StreamCounts { packets: 61, ..StreamCounts::default() }, at(61));
        assert!(life.stalled(STALL, at(61)).is_some_and(|why| why.contains("no whole frame did for 60 s")));
        assert!(StreamLife::new(at(0)).stalled(STALL, at(11)).is_some_and(|why| why.contains("for 10 s")));
    }

    #[test]
    fn keyframes_that_never_come_again_are_a_stall_after_ten_minutes() {
        let mut life = StreamLife::new(at(0));
        let counts = |received: u64| {
            let skipped = SkippedFrames { keyframes_only: received - 1, ..SkippedFrames::default() };
            StreamCounts { packets: received, received, decoded: 1, skipped, ..StreamCounts::default() }
        };
        for second in 1..=601 {
            life.progress(counts(second * 25), at(second));
            assert_eq!(life.stalled(STALL, at(second)), None, "{second} s");
        }
        life.progress(counts(602 * 25), at(602));
        assert!(life.stalled(STALL, at(602)).is_some_and(|why| why.contains("no keyframe did for 10 min")));
    }

    #[test]
    fn a_group_of_a_minute_that_is_joined_in_the_middle_is_waited_for() {
        let mut life = StreamLife::new(at(0));
        for second in 1..=59 {
            let received = second * 25;
            let skipped = SkippedFrames { before_keyframe: received, ..SkippedFrames::default() };
            life.progress(StreamCounts { packets: received, received, skipped, ..StreamCounts::default() }, at(second));
            assert_eq!((life.stalled(STALL, at(second)), life.rate()), (None, None));
        }
        assert_eq!(life.waits_for(at(59)), Some("frames arrive, and the first keyframe is awaited"));
        assert_eq!(life.waits_for(at(2)), None, "not worth a word yet");
    }
}
