//! Finds a decoder that hangs in a driver: units wait for it, and it takes none.

/// So many heartbeats in a row without a unit taken: ten seconds. Heartbeats and not time, so that a process that was stopped
/// and goes on is not judged by the time for which it was stopped.
const MOST_ROUNDS: u32 = 10;

/// What was seen of one decoder.
#[derive(Debug, Default)]
pub(super) struct HangWatch {
    taken: Option<u64>,
    rounds: u32,
}

impl HangWatch {
    /// `taken` counts the units that it took; `None` while none wait. True once it hangs.
    pub(super) fn round(&mut self, taken: Option<u64>) -> bool {
        self.rounds = if taken.is_some() && taken == self.taken { self.rounds + 1 } else { 0 };
        self.taken = taken;
        self.rounds >= MOST_ROUNDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_decoder_that_takes_nothing_while_units_wait_hangs() {
        let mut watch = HangWatch::default();
        assert!((0..1000).all(|_| !watch.round(None)), "no unit waits");
        assert!((0..1000).all(|round| !watch.round(Some(round / 5))), "slow, but not hung");
        assert!((0..9).all(|_| !watch.round(Some(10))) && !watch.round(None));
        assert!((0..=10).all(|round| watch.round(Some(10)) == (round >= 10)));
    }
}
