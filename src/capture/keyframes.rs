//! The newest keyframes of a main stream, for pictures of moments that have just passed, and the counts of all its frames.
//!
//! Nothing is decoded until a snapshot is ordered. Every received frame has one outcome, as on an analysed stream.

use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::StreamCounts;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How long a keyframe is kept that is not the newest: 10 s that a picture may be off, and 5 s that a frame may take from its
/// arrival to the order.
const LONGEST_KEPT: Duration = Duration::from_secs(15);

/// The most that is kept: seven keyframes of 4K, or three seconds of MJPEG.
const MOST_BYTES: usize = 16 << 20;

/// What became of a keyframe that was taken for a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// The snapshot was given up before.
    Unused,
    Decoded,
    Undecodable,
}

#[derive(Debug)]
struct Kept<T> {
    number: u64,
    at: Monotonic,
    bytes: usize,
    /// It was taken once: it is counted elsewhere.
    was_taken: bool,
    data: T,
}

/// A keyframe near a moment.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Near<T> {
    /// Names it in [`Keyframes::settle`].
    pub(super) number: u64,
    /// Milliseconds after that moment; before it, if negative.
    pub(super) offset_ms: i64,
    pub(super) data: T,
}

/// The keyframes of one connection.
#[derive(Debug)]
pub(super) struct Keyframes<T> {
    kept: VecDeque<Kept<T>>,
    kept_bytes: usize,
    newest_at: Option<Monotonic>,
    /// Those that were taken and have no outcome yet.
    taken: BTreeSet<u64>,
    counts: StreamCounts,
}

impl<T: Clone> Keyframes<T> {
    pub(super) fn new() -> Self {
        let (kept, taken, counts) = Default::default();
        Self { kept, kept_bytes: 0, newest_at: None, taken, counts }
    }

    /// Takes in a frame that has arrived.
    pub(super) fn push(&mut self, is_keyframe: bool, at: Monotonic, bytes: usize, data: T) {
        let number = self.counts.received;
        self.counts.received += 1;
        self.counts.bytes += bytes as u64;
        if !is_keyframe {
            let skipped = &mut self.counts.skipped;
            let reason =
                if self.newest_at.is_some() { &mut skipped.keyframes_only } else { &mut skipped.before_keyframe };
            *reason += 1;
            return;
        }
        if let Some(before) = self.newest_at.replace(at) {
            let interval = at.since(before).as_millis();
            self.counts.keyframe_interval_ms = u32::try_from(interval).unwrap_or(u32::MAX);
        }
        self.kept.push_back(Kept { number, at, bytes, was_taken: false, data });
        self.kept_bytes += bytes;
        // The newest one stays however long ago the next one was.
        while self.kept_bytes > MOST_BYTES || self.kept.front().is_some_and(|oldest| oldest.at + LONGEST_KEPT < at) {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.kept_bytes -= oldest.bytes;
            self.counts.skipped.not_due += u64::from(!oldest.was_taken);
        }
    }

    /// Takes the keyframe that arrived nearest to `at`, if it is no further than `most`. It is to be settled.
    pub(super) fn take_near(&mut self, at: Monotonic, most: Duration) -> Option<Near<T>> {
        let distance = |kept: &Kept<T>| kept.at.since(at).max(at.since(kept.at));
        let nearest = self.kept.iter_mut().min_by_key(|kept| distance(kept))?;
        let far = distance(nearest);
        if far > most {
            return None;
        }
        if !std::mem::replace(&mut nearest.was_taken, true) {
            self.taken.insert(nearest.number);
        }
        let ms = i64::try_from(far.as_millis()).unwrap_or(i64::MAX);
        let offset_ms = if nearest.at < at { -ms } else { ms };
        Some(Near { number: nearest.number, offset_ms, data: nearest.data.clone() })
    }

    /// What became of a keyframe that was taken. The first outcome counts: one that is near two frames is decoded twice.
    pub(super) fn settle(&mut self, number: u64, taken: Taken) {
        if !self.taken.remove(&number) {
            return;
        }
        match taken {
            Taken::Unused => match self.kept.iter_mut().find(|kept| kept.number == number) {
                // Another snapshot may take it.
                Some(kept) => kept.was_taken = false,
                None => self.counts.skipped.not_due += 1,
            },
            Taken::Decoded => self.counts.decoded += 1,
            Taken::Undecodable => self.counts.skipped.undecodable += 1,
        }
    }

    /// What became of everything that was received so far.
    pub(super) fn counts(&self) -> StreamCounts {
        let untaken = self.kept.iter().filter(|kept| !kept.was_taken).count();
        StreamCounts { waiting: (untaken + self.taken.len()) as u64, ..self.counts }
    }

    /// The time since the newest keyframe; `None` until there is one.
    pub(super) fn age(&self, now: Monotonic) -> Option<Duration> {
        self.newest_at.map(|newest| now.since(newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    /// 25 frames a second from `from`, with a keyframe in each `group`.
    fn run(keyframes: &mut Keyframes<u64>, from: u64, frames: u64, group: u64, bytes: usize) {
        for frame in from..from + frames {
            keyframes.push(frame % group == 0, at(frame * 40), bytes, frame);
            assert!(keyframes.counts().closes(), "{:?}", keyframes.counts());
        }
    }

    #[test]
    fn the_keyframe_nearest_to_a_frame_is_taken_and_counted_once_as_decoded() {
        let mut keyframes = Keyframes::new();
        run(&mut keyframes, 0, 500, 50, 1000);
        let most = Duration::from_secs(10);
        let unused = keyframes.take_near(at(17_000), most).unwrap();
        keyframes.settle(unused.number, Taken::Unused);
        assert_eq!((keyframes.counts().waiting, keyframes.counts().decoded), (8, 0));
        let near = keyframes.take_near(at(17_900), most).unwrap();
        assert_eq!((near.data, near.offset_ms), (450, 100));
        let before = keyframes.take_near(at(16_900), most).unwrap();
        assert_eq!((before.data, before.offset_ms), (400, -900));
        let again = keyframes.take_near(at(18_001), most).unwrap();
        assert_eq!((again.number, again.offset_ms), (near.number, -1));
        assert!(keyframes.counts().closes());
        for near in [&near, &again, &before] {
            keyframes.settle(near.number, Taken::Decoded);
        }
        let counts = keyframes.counts();
        assert!(counts.closes() && counts.decoded == 2, "{counts:?}");
        assert_eq!((counts.skipped.keyframes_only, counts.keyframe_interval_ms, counts.bytes), (490, 2000, 500_000));
    }

    #[test]
    fn none_that_is_too_far_is_taken_and_the_newest_is_kept_however_old_it_is() {
        let mut keyframes = Keyframes::new();
        run(&mut keyframes, 0, 1500, 10_000, 1000);
        let most = Duration::from_secs(10);
        assert!(keyframes.take_near(at(10_001), most).is_none());
        assert_eq!(keyframes.take_near(at(10_000), most).unwrap().offset_ms, -10_000);
        assert_eq!(keyframes.age(at(60_000)), Some(Duration::from_secs(60)));
        assert!(Keyframes::<u64>::new().take_near(at(0), most).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded_in_time_and_bytes_and_each_frame_has_one_outcome() {
        let mut keyframes = Keyframes::new();
        run(&mut keyframes, 20, 3000, 25, 1000);
        let counts = keyframes.counts();
        assert_eq!((counts.waiting, counts.skipped.before_keyframe), (16, 5));
        run(&mut keyframes, 3020, 1000, 1, 1 << 20);
        assert_eq!(keyframes.counts().waiting, 16);
        // One that is larger than all of the room is not kept.
        keyframes.push(true, at(200_000), MOST_BYTES + 1, 0);
        assert!(keyframes.counts().waiting == 0 && keyframes.counts().closes());
    }

    #[test]
    fn one_that_is_taken_and_falls_out_meanwhile_is_counted_by_its_outcome() {
        for (taken, decoded, undecodable) in [(Taken::Unused, 0, 0), (Taken::Decoded, 1, 0), (Taken::Undecodable, 0, 1)]
        {
            let mut keyframes = Keyframes::new();
            run(&mut keyframes, 0, 1, 50, 1000);
            let near = keyframes.take_near(at(0), Duration::ZERO).unwrap();
            run(&mut keyframes, 50, 1000, 50, 1000);
            keyframes.settle(near.number, taken);
            let counts = keyframes.counts();
            assert!(counts.closes(), "{counts:?}");
            assert_eq!((counts.decoded, counts.skipped.undecodable), (decoded, undecodable));
        }
    }
}
