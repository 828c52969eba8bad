//! Access units (encoded frames) between receiving and decoding: at most the newest groups of pictures.
//!
//! Receiving never waits for decoding. When decoding is behind, it goes on at the newest keyframe, and what lies before is
//! counted: a picture of now is worth more than every picture of a minute ago.
//!
//! ```text
//!            ┌── watch: at a keyframe, which stays here ──┐
//!            │                                            ▼
//!  Reading::All: each unit is taken in its order   Reading::Keyframes: only the newest keyframe is given out;
//!            ▲                                     the units since the last one in a still scene are held
//!            └── follow: again from the oldest keyframe that is held ──┘
//! ```

mod reading;

use self::reading::{Awaits, Reading};
use crate::capture::access_unit::AccessUnit;
use crate::capture::arrival::Arrival;
use crate::vision::monotonic::Monotonic;
use crate::vision::stream_counts::SkippedFrames;
use std::collections::VecDeque;
use std::time::Duration;

/// So far decoding may be behind while a newer keyframe waits. Shorter, a moment of load costs a group of pictures.
const LAG: Duration = Duration::from_secs(1);

/// So far it may be behind when none waits, as in a group of a minute. Then the next keyframe is awaited, without a picture.
const LONGEST_LAG: Duration = Duration::from_secs(10);

/// So much longer it may be behind while it decodes what was held: on a busy box that takes as long as it lasted.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// The most that waits or is held for one camera: ten seconds at 13 Mbit/s.
const MOST_BYTES: usize = 16 << 20;

/// The most units that wait or are held: ten seconds at 200 frames a second, whatever their arrival says.
const MOST_UNITS: usize = 2000;

/// Units that wait for the decoder, and the counts of those that no longer do.
#[derive(Debug)]
pub(super) struct GopBuffer<T> {
    units: VecDeque<AccessUnit<T>>,
    bytes: usize,
    /// Those of `units` that were given out, and are held for what follows them.
    given: usize,
    reading: Reading,
    /// The number of the keyframe that was passed over last.
    passed: Option<u64>,
    /// So far decoding may be behind while a newer keyframe waits.
    lag: Duration,
    keyframes_only: bool,
    awaits: Awaits,
    received: u64,
    skipped: SkippedFrames,
    keyframe_at: Option<Monotonic>,
    keyframe_interval: Duration,
    is_rationed: bool,
}

impl<T: Clone> GopBuffer<T> {
    /// With `keyframes_only`, all other units are skipped.
    pub(super) fn new(keyframes_only: bool) -> Self {
        Self {
            units: VecDeque::new(),
            bytes: 0,
            given: 0,
            reading: Reading::All,
            passed: None,
            lag: LAG,
            keyframes_only,
            awaits: Awaits::FirstKeyframe,
            received: 0,
            skipped: SkippedFrames::default(),
            keyframe_at: None,
            keyframe_interval: Duration::ZERO,
            is_rationed: false,
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
            Awaits::KeyframeAfterLag => *self.late() += 1,
            Awaits::KeyframeAfterRation => self.skipped.rationed += 1,
            Awaits::KeyframeAfterOverflow => *self.overflowed() += 1,
            Awaits::Nothing if self.keyframes_only && !is_keyframe => self.skipped.keyframes_only += 1,
            Awaits::Nothing => {
                let (is_again, is_glance) = (false, false);
                self.units.push_back(AccessUnit { number, is_keyframe, is_again, is_glance, arrival, bytes, data });
                self.bytes += bytes;
                match self.reading {
                    Reading::All => self.catch_up(arrival.at),
                    Reading::Keyframes => self.hold_no_more_than_fits(),
                }
            }
        }
    }

    /// The next unit to decode: the oldest, or while only keyframes are read the newest keyframe, once.
    pub(super) fn take(&mut self) -> Option<AccessUnit<T>> {
        match self.reading {
            Reading::All => self.take_oldest(),
            Reading::Keyframes => {
                let newest = self.units.iter().rposition(|unit| unit.is_keyframe)?;
                self.is_new(&self.units[newest]).then(|| self.glance(newest))?
            }
        }
    }

    /// The newest keyframe is not decoded while only keyframes are read. It is held, with the group before it: what its frames
    /// show may have begun there.
    pub(super) fn pass(&mut self) {
        let keyframes = self.units.iter().enumerate().rev().filter(|(_, unit)| unit.is_keyframe);
        let newest: Vec<(usize, u64)> = keyframes.take(2).map(|(place, unit)| (place, unit.number)).collect();
        self.passed = newest.first().map(|(_, number)| *number).or(self.passed);
        if let [_, (before, _)] = newest[..] {
            self.skipped.still += self.drop_first(before);
        }
    }

    /// Reads only keyframes from here on. If the next unit is one, it is given out and held, for what follows it may be
    /// wanted after all; otherwise nothing changes.
    pub(super) fn watch(&mut self) -> Option<AccessUnit<T>> {
        self.keyframe_next()?;
        self.reading = Reading::Keyframes;
        self.glance(0)
    }

    /// Nothing has changed in the picture of this keyframe: what lies before it is not needed.
    pub(super) fn is_still(&mut self, number: u64) {
        let before = self.units.iter().take_while(|unit| unit.number < number).count();
        if self.reading == Reading::Keyframes {
            self.skipped.still += self.drop_first(before);
        }
    }

    /// Reads everything from here on, beginning with the oldest keyframe that is held.
    pub(super) fn follow(&mut self, now: Monotonic) {
        if self.reading == Reading::All {
            return;
        }
        self.reading = Reading::All;
        self.lag = self.behind(now) + CATCHING_UP;
    }

    /// Skips everything up to the next keyframe. Nothing, if that is next.
    pub(super) fn ration(&mut self) {
        let group = self.units.iter().take_while(|unit| !unit.is_keyframe).count();
        if group == self.units.len() {
            self.awaits = self.awaits.max(Awaits::KeyframeAfterRation);
        }
        self.skipped.rationed += self.drop_first(group);
    }

    /// While it is, decoding is behind because the units are: what is skipped then is counted as rationed.
    pub(super) fn set_rationed(&mut self, is_rationed: bool) {
        self.is_rationed = is_rationed;
    }

    /// Counts a unit that was taken and is not decoded, because its picture is not due.
    pub(super) fn skip_undue(&mut self) {
        self.skipped.not_due += 1;
    }

    /// When the next unit arrived, if it is a keyframe and units are taken in their order.
    pub(super) fn keyframe_next(&self) -> Option<Monotonic> {
        let next = self.units.front().filter(|unit| self.reading == Reading::All && unit.is_keyframe)?;
        Some(next.arrival.at)
    }

    /// When the newest keyframe arrived, if only keyframes are read and it waits.
    pub(super) fn glance_next(&self) -> Option<Monotonic> {
        let newest = self.units.iter().rev().find(|unit| unit.is_keyframe)?;
        (self.reading == Reading::Keyframes && self.is_new(newest)).then_some(newest.arrival.at)
    }

    /// When the newest keyframe arrived.
    pub(super) fn keyframe_at(&self) -> Option<Monotonic> {
        self.keyframe_at
    }

    /// When the next unit arrived, if units are taken in their order and what was held is not decoded yet.
    pub(super) fn catches_up_from(&self) -> Option<Monotonic> {
        let next = self.units.front().filter(|_| self.reading == Reading::All && self.lag > LAG)?;
        Some(next.arrival.at)
    }

    /// When the next unit arrived.
    pub(super) fn next_at(&self) -> Option<Monotonic> {
        self.units.front().map(|unit| unit.arrival.at)
    }

    /// Units received.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Units that wait and were not given out.
    pub(super) fn len(&self) -> usize {
        self.units.len() - self.given
    }

    /// True if there is something to take.
    pub(super) fn is_waited_for(&self) -> bool {
        match self.reading {
            Reading::All => !self.units.is_empty(),
            Reading::Keyframes => self.glance_next().is_some(),
        }
    }

    /// Units that are not decoded, by reason.
    pub(super) fn skipped(&self) -> SkippedFrames {
        self.skipped
    }

    /// The time between the two newest keyframes; zero until there are two.
    pub(super) fn keyframe_interval(&self) -> Duration {
        self.keyframe_interval
    }

    fn take_oldest(&mut self) -> Option<AccessUnit<T>> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.bytes;
        self.given -= usize::from(unit.is_again);
        if self.units.back().is_none_or(|newest| newest.arrival.at.since(unit.arrival.at) < LAG / 2) {
            self.lag = LAG;
        }
        Some(unit)
    }

    /// True of a keyframe that was neither given out nor passed over.
    fn is_new(&self, unit: &AccessUnit<T>) -> bool {
        !unit.is_again && self.passed != Some(unit.number)
    }

    /// Gives out a unit and holds it.
    fn glance(&mut self, at: usize) -> Option<AccessUnit<T>> {
        let unit = self.units.get_mut(at)?;
        let glance = AccessUnit { is_glance: true, ..unit.clone() };
        self.given += usize::from(!unit.is_again);
        unit.is_again = true;
        Some(glance)
    }

    fn behind(&self, newest: Monotonic) -> Duration {
        self.units.front().map_or(Duration::ZERO, |oldest| newest.since(oldest.arrival.at))
    }

    fn is_full(&self) -> bool {
        self.bytes > MOST_BYTES || self.units.len() > MOST_UNITS
    }

    fn catch_up(&mut self, newest: Monotonic) {
        let (behind, is_full) = (self.behind(newest), self.is_full());
        if behind <= self.lag && !is_full {
            return;
        }
        match self.units.iter().rposition(|unit| unit.is_keyframe) {
            Some(keyframe) if keyframe > 0 => {
                let dropped = self.drop_first(keyframe);
                *self.late() += dropped;
            }
            _ if behind > LONGEST_LAG.max(self.lag) || is_full => {
                let dropped = self.drop_first(self.units.len());
                *self.late() += dropped;
                self.awaits = Awaits::KeyframeAfterLag;
            }
            _ => {}
        }
    }

    /// Keeps whole groups: what follows a keyframe is worth nothing without it.
    fn hold_no_more_than_fits(&mut self) {
        while self.is_full() {
            let second = self.units.iter().skip(1).position(|unit| unit.is_keyframe);
            let dropped = self.drop_first(second.map_or(self.units.len(), |before| before + 1));
            *self.overflowed() += dropped;
            if second.is_none() {
                self.awaits = Awaits::KeyframeAfterOverflow;
            }
        }
    }

    /// Where units are counted that decoding has passed over.
    fn late(&mut self) -> &mut u64 {
        if self.is_rationed { &mut self.skipped.rationed } else { &mut self.skipped.behind }
    }

    /// Where units are counted that are not held for want of room.
    fn overflowed(&mut self) -> &mut u64 {
        match self.reading {
            Reading::All => self.late(),
            Reading::Keyframes => &mut self.skipped.still,
        }
    }

    /// Returns how many of them were never given out.
    fn drop_first(&mut self, count: usize) -> u64 {
        let mut ungiven = 0;
        for unit in self.units.drain(..count) {
            self.bytes -= unit.bytes;
            self.given -= usize::from(unit.is_again);
            ungiven += u64::from(!unit.is_again);
        }
        ungiven
    }
}

#[cfg(test)]
mod tests;
