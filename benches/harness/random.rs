//! Numbers that look random, the same in every run.

/// Knuth's linear congruential generator, from a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Evenly in `0..limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit as u64) as usize
    }
}
