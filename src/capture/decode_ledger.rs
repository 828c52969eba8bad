//! Which units are in the decoder, their times, and what became of them.

use crate::capture::arrival::Arrival;
use std::collections::BTreeMap;

/// A decoder holds back at most 16 frames (H.264 and H.265) until it knows their order. One that was passed by more than
/// twice as many later ones gives no picture.
const MOST_REORDERED: u64 = 32;

/// Twice as many again: a decoder that gives nothing at all does not let the ledger grow.
const MOST_IN_DECODER: usize = 64;

/// The units of one connection that were given to its decoder.
#[derive(Debug, Default)]
pub(super) struct DecodeLedger {
    inside: BTreeMap<u64, Arrival>,
    decoded: u64,
    undecodable: u64,
}

impl DecodeLedger {
    /// A unit goes into the decoder.
    pub(super) fn went_in(&mut self, number: u64, arrival: Arrival) {
        self.inside.insert(number, arrival);
        while self.inside.len() > MOST_IN_DECODER {
            self.inside.pop_first();
            self.undecodable += 1;
        }
    }

    /// A picture came out. `number` is that of its unit; `None` if the decoder does not say, and it is the oldest one.
    /// Returns the times of the unit. A picture that belongs to no unit inside is a second one, and does not count.
    pub(super) fn came_out(&mut self, number: Option<u64>, is_damaged: bool) -> Option<Arrival> {
        let number = number.or_else(|| self.inside.keys().next().copied())?;
        let arrival = self.inside.remove(&number)?;
        let passed = self.inside.len();
        self.inside.retain(|inside, _| inside + MOST_REORDERED >= number);
        self.undecodable += (passed - self.inside.len()) as u64;
        match is_damaged {
            true => self.undecodable += 1,
            false => self.decoded += 1,
        }
        Some(arrival)
    }

    /// Pictures that came out undamaged.
    pub(super) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Units that gave no picture, or a damaged one.
    pub(super) fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// Units in the decoder.
    pub(super) fn inside(&self) -> u64 {
        self.inside.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::monotonic::Monotonic;

    fn arrival(number: u64) -> Arrival {
        Arrival { at: Monotonic::from_nanos(number), camera_ms: None }
    }

    fn ledger(units: u64) -> DecodeLedger {
        let mut ledger = DecodeLedger::default();
        (0..units).for_each(|number| ledger.went_in(number, arrival(number)));
        ledger
    }

    #[test]
    fn a_picture_has_the_arrival_of_its_own_unit_in_any_order() {
        let mut ledger = ledger(4);
        for number in [0, 2, 3, 1] {
            assert_eq!(ledger.came_out(Some(number), false), Some(arrival(number)));
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
        assert_eq!(silent.came_out(None, false), Some(arrival(936)));
        assert_eq!((silent.decoded(), silent.inside()), (1, 63));
    }
}
