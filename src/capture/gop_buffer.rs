//! Access units (encoded frames) between receiving and decoding: at most the newest groups of pictures.
//!
//! Receiving never waits for decoding. When decoding is behind, it goes on at the newest keyframe, and what lies before is
//! counted: a picture of now is worth more than every picture of a minute ago.

use crate::capture::arrival::Arrival;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::SkippedFrames;
use std::collections::VecDeque;
use std::time::Duration;

/// So far decoding may be behind while a newer keyframe waits. Shorter, a moment of load costs a group of pictures.
const LAG: Duration = Duration::from_secs(1);

/// So far it may be behind when none waits, as in a group of a minute. Then the next keyframe is awaited, without a picture.
const LONGEST_LAG: Duration = Duration::from_secs(10);

/// The most that waits for one camera: ten seconds at 13 Mbit/s.
const MOST_BYTES: usize = 16 << 20;

/// The most units that wait: ten seconds at 100 frames a second, whatever their arrival says.
const MOST_UNITS: usize = 1000;

/// One encoded frame.
#[derive(Debug)]
pub(super) struct AccessUnit<T> {
    /// The count of received units before it.
    pub(super) number: u64,
    /// True if decoding can begin with it.
    pub(super) is_keyframe: bool,
    /// When it arrived and was taken.
    pub(super) arrival: Arrival,
    /// The length of its data.
    pub(super) bytes: usize,
    /// The data.
    pub(super) data: T,
}

/// Why units are skipped until the next keyframe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaits {
    Nothing,
    FirstKeyframe,
    KeyframeAfterLag,
}

/// Units that wait for the decoder, and the counts of those that no longer do.
#[derive(Debug)]
pub(super) struct GopBuffer<T> {
    units: VecDeque<AccessUnit<T>>,
    bytes: usize,
    keyframes_only: bool,
    awaits: Awaits,
    received: u64,
    skipped: SkippedFrames,
    keyframe_at: Option<Monotonic>,
    keyframe_interval: Duration,
}

impl<T> GopBuffer<T> {
    /// With `keyframes_only`, all other units are skipped.
    pub(super) fn new(keyframes_only: bool) -> Self {
        Self {
            units: VecDeque::new(),
            bytes: 0,
            keyframes_only,
            awaits: Awaits::FirstKeyframe,
            received: 0,
            skipped: SkippedFrames::default(),
            keyframe_at: None,
            keyframe_interval: Duration::ZERO,
        }
    }

    /// Takes in a unit that has arrived.
    pub(super) fn push(&mut self, is_keyframe: bool, arrival: Arrival, bytes: usize, data: T) {
        let number = self.received;
        self.received += 1;
        if is_keyframe {
            if let Some(before) = self.keyframe_at.replace(arrival.at) {
                self.keyframe_interval = arrival.at.since(before);
            }
            self.awaits = Awaits::Nothing;
        }
        match self.awaits {
            Awaits::FirstKeyframe => self.skipped.before_keyframe += 1,
            Awaits::KeyframeAfterLag => self.skipped.behind += 1,
            Awaits::Nothing if self.keyframes_only && !is_keyframe => self.skipped.keyframes_only += 1,
            Awaits::Nothing => {
                self.units.push_back(AccessUnit { number, is_keyframe, arrival, bytes, data });
                self.bytes += bytes;
                self.catch_up(arrival.at);
            }
        }
    }

    /// The next unit to decode.
    pub(super) fn take(&mut self) -> Option<AccessUnit<T>> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.bytes;
        Some(unit)
    }

    /// Counts a unit that was taken and is not decoded, because its picture is not due.
    pub(super) fn skip_undue(&mut self) {
        self.skipped.not_due += 1;
    }

    /// Units received.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Units that wait.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// Units that are not decoded, by reason.
    pub(super) fn skipped(&self) -> SkippedFrames {
        self.skipped
    }

    /// The time between the two newest keyframes; zero until there are two.
    pub(super) fn keyframe_interval(&self) -> Duration {
        self.keyframe_interval
    }

    fn catch_up(&mut self, newest: Monotonic) {
        let lag = self.units.front().map_or(Duration::ZERO, |oldest| newest.since(oldest.arrival.at));
        let is_full = self.bytes > MOST_BYTES || self.units.len() > MOST_UNITS;
        if lag <= LAG && !is_full {
            return;
        }
        match self.units.iter().rposition(|unit| unit.is_keyframe) {
            Some(keyframe) if keyframe > 0 => self.drop_first(keyframe),
            _ if lag > LONGEST_LAG || is_full => {
                self.drop_first(self.units.len());
                self.awaits = Awaits::KeyframeAfterLag;
            }
            _ => {}
        }
    }

    fn drop_first(&mut self, count: usize) {
        self.bytes -= self.units.drain(..count).map(|unit| unit.bytes).sum::<usize>();
        self.skipped.behind += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Arrival {
        Arrival { at: Monotonic::from_nanos(ms * 1_000_000), camera_ms: None }
    }

    /// Receives `frames` at 25 a second with a keyframe each `gop`; one is taken each `step` frames. Returns what was taken.
    fn run(buffer: &mut GopBuffer<()>, frames: u64, gop: u64, step: u64) -> Vec<AccessUnit<()>> {
        let mut taken = Vec::new();
        for frame in 0..frames {
            buffer.push(frame % gop == 0, at(frame * 40), 10_000, ());
            if frame % step == 0 {
                taken.extend(buffer.take());
            }
            let counted = taken.len() as u64 + buffer.skipped().total() + buffer.len() as u64;
            assert_eq!(buffer.received(), counted, "at frame {frame}");
        }
        taken
    }

    #[test]
    fn a_decoder_that_keeps_up_gets_every_frame() {
        let mut buffer = GopBuffer::new(false);
        assert_eq!(run(&mut buffer, 500, 50, 1).len(), 500);
        assert_eq!((buffer.skipped().total(), buffer.keyframe_interval()), (0, Duration::from_secs(2)));
    }

    #[test]
    fn a_slow_decoder_goes_on_at_keyframes_and_never_misses_a_reference() {
        for (gop, step) in [(50, 2), (50, 3), (250, 2), (1500, 4), (1, 5)] {
            let mut buffer = GopBuffer::new(false);
            let taken = run(&mut buffer, 3000, gop, step);
            let skips = taken.windows(2).filter(|pair| pair[1].number != pair[0].number + 1);
            for pair in skips {
                assert!(pair[1].is_keyframe, "GOP {gop}: {} does not follow {}", pair[1].number, pair[0].number);
            }
            let behind = 40 * (buffer.len() as u64);
            assert!(behind <= 10_000 && buffer.skipped().behind > 500, "GOP {gop}: {behind} ms behind");
            assert_eq!(buffer.skipped().before_keyframe, 0);
            // Whoever decodes is never left without work while keyframes come within the longest lag.
            let least = if gop <= 250 { 3000 / step - 80 } else { 150 };
            assert!(taken.len() as u64 >= least, "GOP {gop}: {} frames in {step}", taken.len());
        }
    }

    #[test]
    fn nothing_is_decoded_before_the_first_keyframe() {
        let mut buffer = GopBuffer::new(false);
        (0..30).for_each(|frame| buffer.push(frame == 20, at(frame * 40), 1, ()));
        assert_eq!((buffer.skipped().before_keyframe, buffer.take().unwrap().number, buffer.len()), (20, 20, 9));
    }

    #[test]
    fn with_keyframes_only_the_rest_is_skipped_for_that_reason() {
        let mut buffer = GopBuffer::new(true);
        let taken = run(&mut buffer, 100, 25, 1);
        assert!(taken.len() == 4 && taken.iter().all(|unit| unit.is_keyframe));
        assert_eq!(buffer.skipped().keyframes_only, 96);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_also_when_it_arrives_at_once() {
        let mut buffer = GopBuffer::new(false);
        for frame in 0..100 {
            buffer.push(frame == 0, at(0), 1 << 20, ());
            assert!(buffer.len() <= 16);
        }
        assert_eq!(buffer.skipped().behind, 100 - buffer.len() as u64);
        let mut tiny = GopBuffer::new(false);
        (0..5000).for_each(|frame| tiny.push(frame == 0, at(0), 1, ()));
        assert!(tiny.len() <= MOST_UNITS && tiny.skipped().behind > 0);
    }
}
