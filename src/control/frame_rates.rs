//! How many frames a second a camera sends, and how many of them are decoded and analysed: over the last ten seconds.

use crate::admission::Ledger;
use crate::vision::camera_id::CameraId;
use crate::vision::monotonic::Monotonic;
use crate::vision::outcome::ShedReason;
use crate::vision::stream_counts::StreamCounts;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The time that is looked back.
const WINDOW: Duration = Duration::from_secs(10);

/// The shortest time between two counts that are kept.
const STEP: Duration = Duration::from_millis(400);

/// So many frames are not left out by chance.
const DUE: f64 = 3.0;

/// Frames a second of one camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameRates {
    /// Frames that the camera sent.
    pub received: f64,
    /// Decoded frames, whether they are analysed or not.
    pub decoded: f64,
    /// Frames that should have been decoded and were not.
    pub lost: FrameLoss,
    /// RTP packets that arrived.
    pub packets: f64,
    /// RTP packets that did not.
    pub packets_lost: f64,
    /// Bits of encoded frames.
    pub bits: f64,
    /// Frames that a unit has analysed.
    pub analysed: f64,
    /// Frames that were due and show what a unit has seen before.
    pub still: f64,
    /// The time over which they were counted, at most the ten seconds that are looked back.
    pub over: Duration,
}

impl FrameRates {
    /// True when they were counted over the whole time that is looked back.
    pub fn are_settled(&self) -> bool {
        self.over >= WINDOW - STEP
    }

    /// True when at least three frames should have been analysed in the whole time, and none was. `wanted` is the rate to
    /// analyse, in frames a second; 0: all that are decoded.
    pub fn is_ignored(&self, wanted: f64) -> bool {
        let due = if wanted > 0.0 { wanted.min(self.decoded) } else { self.decoded } * self.over.as_secs_f64();
        self.are_settled() && due >= DUE && self.analysed + self.still == 0.0
    }
}

/// Frames a second that should have been decoded and were not, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameLoss {
    /// Decoding was too slow.
    pub behind: f64,
    /// The decoder made no picture of them.
    pub undecodable: f64,
}

/// The counts of one camera at one time.
#[derive(Clone, Copy, Debug)]
struct Count {
    at: Monotonic,
    stream: StreamCounts,
    analysed: u64,
    still: u64,
}

/// Remembers the counts of all cameras.
#[derive(Debug, Default)]
pub struct RateMeter {
    counts: BTreeMap<CameraId, VecDeque<Count>>,
}

impl RateMeter {
    /// Takes in the counts of a camera and the outcomes of its frames since the start, and returns its rates.
    pub fn count(&mut self, camera: &CameraId, stream: &StreamCounts, ended: &Ledger, now: Monotonic) -> FrameRates {
        let analysed = ended.detected;
        let still = ended.shed.get(&ShedReason::Still).copied().unwrap_or_default();
        let counts = self.counts.entry(camera.clone()).or_default();
        if counts.back().is_none_or(|last| now.since(last.at) >= STEP) {
            counts.push_back(Count { at: now, stream: *stream, analysed, still });
        }
        // The first one is the newest of those that are older than the window.
        while counts.get(1).is_some_and(|second| now.since(second.at) >= WINDOW) {
            counts.pop_front();
        }
        let Some(first) = counts.front() else { return FrameRates::default() };
        let over = now.since(first.at);
        let rate = |count: u64, before: u64| match over.is_zero() {
            true => 0.0,
            false => count.saturating_sub(before) as f64 / over.as_secs_f64(),
        };
        let before = &first.stream;
        FrameRates {
            received: rate(stream.received, before.received),
            decoded: rate(stream.decoded, before.decoded),
            lost: FrameLoss {
                behind: rate(stream.skipped.behind, before.skipped.behind),
                undecodable: rate(stream.skipped.undecodable, before.skipped.undecodable),
            },
            packets: rate(stream.packets, before.packets),
            packets_lost: rate(stream.packets_lost, before.packets_lost),
            bits: 8.0 * rate(stream.bytes, before.bytes),
            analysed: rate(analysed, first.analysed),
            still: rate(still, first.still),
            over: over.min(WINDOW),
        }
    }

    /// Forgets the cameras for which `is_there` is false.
    pub fn keep(&mut self, is_there: impl Fn(&CameraId) -> bool) {
        self.counts.retain(|camera, _| is_there(camera));
    }

    /// Forgets the counts of a camera, as when its connection was lost: its next rates are those since then.
    pub fn forget(&mut self, camera: &CameraId) {
        self.counts.remove(camera);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn rates_are_those_of_the_last_ten_seconds() {
        let (mut meter, yard) = (RateMeter::default(), CameraId::new("yard").unwrap());
        let mut rates = FrameRates::default();
        for half in 0..60 {
            // Ten frames a second; five of them are analysed until the fifteenth second.
            let stream = StreamCounts { received: half * 5, decoded: half * 5, ..StreamCounts::default() };
            let ended = Ledger { detected: (half * 5 / 2).min(75), ..Ledger::default() };
            rates = meter.count(&yard, &stream, &ended, at(half * 500));
            match half {
                0 => assert_eq!(rates, FrameRates::default()),
                1..30 => assert!((rates.decoded - 10.0).abs() < 0.1 && !rates.is_ignored(5.0), "{rates:?}"),
                _ => {}
            }
        }
        assert!((rates.decoded - 10.0).abs() < 0.1 && rates.is_ignored(5.0), "{rates:?}");
        meter.forget(&yard);
        assert!(
            !meter.count(&yard, &StreamCounts::default(), &Ledger::default(), at(30_000)).is_ignored(5.0),
            "a new connection is given time"
        );
    }

    #[test]
    fn a_slow_camera_and_a_first_moment_are_no_ground_for_a_judgement() {
        let rates = FrameRates { decoded: 0.1, over: WINDOW, ..FrameRates::default() };
        assert!(!rates.is_ignored(5.0) && !FrameRates { decoded: 10.0, ..rates }.is_ignored(0.05));
        assert!(!FrameRates { decoded: 10.0, over: WINDOW / 2, ..rates }.is_ignored(0.0));
        assert!(FrameRates { decoded: 10.0, ..rates }.is_ignored(0.5));
    }
}
