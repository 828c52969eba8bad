//! Which units are in the decoder, their times, and what became of them.

use crate::capture::arrival::Arrival;
use std::collections::BTreeMap;

/// A decoder holds back at most 16 frames (H.264 and H.265) until it knows their order. One that was passed by more than
/// twice as many later ones gives no picture.
const MOST_REORDERED: u64 = 32;

/// Twice as many again: a decoder that gives nothing at all does not let the ledger grow.
const MOST_IN_DECODER: usize = 64;

/// A unit in the decoder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Inside {
    /// The count of received units before it.
    pub(super) number: u64,
    /// The times of the unit.
    pub(super) arrival: Arrival,
    /// True if it is decoded once more, for those that follow it, and was counted before.
    pub(super) is_again: bool,
    /// True if it is decoded alone, to see whether the scene is still.
    pub(super) is_glance: bool,
}

/// The units of one connection that were given to its decoder.
#[derive(Debug, Default)]
pub(super) struct DecodeLedger {
    inside: BTreeMap<u64, Inside>,
    decoded: u64,
    undecodable: u64,
}

impl DecodeLedger {
    /// A unit goes into the decoder.
    pub(super) fn went_in(&mut self, unit: Inside) {
        let number = unit.number;
        // It may go in again before its first picture came out.
        let is_uncounted = self.inside.get(&number).is_some_and(|unit| !unit.is_again);
        self.inside.insert(number, Inside { is_again: unit.is_again && !is_uncounted, ..unit });
        while self.inside.len() > MOST_IN_DECODER {
            let lost = self.inside.pop_first();
            self.undecodable += u64::from(lost.is_some_and(|(_, unit)| !unit.is_again));
        }
    }

    /// A picture came out. `number` is that of its unit; `None` if the decoder does not say, and it is the oldest one.
    /// Returns the unit. A picture that belongs to no unit inside is a second one, and does not count.
    pub(super) fn came_out(&mut self, number: Option<u64>, is_damaged: bool) -> Option<Inside> {
        let number = number.or_else(|| self.inside.keys().next().copied())?;
        let unit = self.inside.remove(&number)?;
        let passed = self.inside();
        self.inside.retain(|inside, _| inside + MOST_REORDERED >= number);
        self.undecodable += passed - self.inside();
        match is_damaged {
            _ if unit.is_again => {}
            true => self.undecodable += 1,
            false => self.decoded += 1,
        }
        Some(unit)
    }

    /// Pictures that came out undamaged.
    pub(super) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Units that gave no picture, or a damaged one.
    pub(super) fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// Units in the decoder that are not counted yet.
    pub(super) fn inside(&self) -> u64 {
        self.inside.values().filter(|unit| !unit.is_again).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::monotonic::Monotonic;

    fn arrival(number: u64) -> Arrival {
        Arrival { at: Monotonic::from_nanos(number), camera_ms: None, media_us: 0 }
    }

    fn unit(number: u64) -> Inside {
        Inside { number, arrival: arrival(number), is_again: false, is_glance: false }
    }

    fn ledger(units: u64) -> DecodeLedger {
        let mut ledger = DecodeLedger::default();
        (0..units).for_each(|number| ledger.went_in(unit(number)));
        ledger
    }

    #[test]
    fn a_picture_has_the_arrival_of_its_own_unit_in_any_order() {
        let mut ledger = ledger(4);
        for number in [0, 2, 3, 1] {
            assert_eq!(ledger.came_out(Some(number), false), Some(unit(number)));
        }
        assert_eq!((ledger.decoded(), ledger.undecodable(), ledger.inside()), (4, 0, 0));
        assert_eq!(ledger.came_out(Some(2), false), None, "the second field of an interlaced frame");
        assert_eq!(ledger.decoded(), 4);
    }

    #[test]
    fn a_unit_without_a_picture_is_counted_when_later_ones_have_passed_it() {
        let mut ledger = ledger(60);
        for number in 10..60 {
            ledger.came_out(Some(number), number == 20);
        }
        assert_eq!((ledger.decoded(), ledger.undecodable(), ledger.inside()), (49, 11, 0));
    }

    #[test]
    fn a_decoder_that_gives_nothing_or_does_not_say_which_is_counted_too() {
        let mut silent = ledger(1000);
        assert_eq!((silent.undecodable(), silent.inside()), (936, 64));
        assert_eq!(silent.came_out(None, false), Some(unit(936)));
        assert_eq!((silent.decoded(), silent.inside()), (1, 63));
    }

    #[test]
    fn a_unit_that_is_decoded_again_is_counted_once() {
        let mut ledger = ledger(1);
        ledger.came_out(Some(0), false);
        ledger.went_in(Inside { is_again: true, ..unit(0) });
        ledger.went_in(unit(1));
        assert_eq!(ledger.inside(), 1);
        assert!(ledger.came_out(Some(0), false).is_some_and(|unit| unit.is_again));
        assert_eq!((ledger.decoded(), ledger.inside()), (1, 1));
        ledger.went_in(Inside { is_again: true, ..unit(1) });
        assert!(
            ledger.came_out(Some(1), false).is_some_and(|unit| !unit.is_again),
            "its first picture has not come yet"
        );
        assert_eq!((ledger.decoded(), ledger.undecodable(), ledger.inside()), (2, 0, 0));
    }
}
