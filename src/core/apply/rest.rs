//! Whether anything is under way that has a short deadline.

use crate::core::apply::Core;

impl Core {
    /// True while nothing is under way that has a deadline shorter than a second: no frame or image is in flight, no unit
    /// starts or stops, every camera streams or is switched off, and nobody waits for a snapshot or for the disk. The shell
    /// ticks rarely then.
    pub fn is_at_rest(&self) -> bool {
        !self.is_draining
            && self.units.are_at_rest()
            && self.cameras.are_at_rest()
            && self.snapshots.are_at_rest()
            && self.keeping.is_at_rest()
    }
}
