//! How many system calls of children were refused since the start, by kind of child.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kinds of children that a daemon starts, by their subcommands.
const KINDS: [&str; 2] = ["capture", "unit"];

/// The counts. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct RefusedCalls {
    counts: [Arc<AtomicU64>; KINDS.len()],
}

impl RefusedCalls {
    /// The count of a kind; that of another kind is nobody's.
    pub(super) fn of(&self, kind: &str) -> Arc<AtomicU64> {
        let known = KINDS.iter().position(|known| *known == kind);
        known.map_or_else(Arc::default, |index| Arc::clone(&self.counts[index]))
    }

    /// All kinds with their counts.
    pub fn counts(&self) -> [(&'static str, u64); KINDS.len()] {
        let mut counts = KINDS.map(|kind| (kind, 0));
        for (count, (_, value)) in self.counts.iter().zip(&mut counts) {
            *value = count.load(Ordering::Relaxed);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_for_itself() {
        let refused = RefusedCalls::default();
        refused.of("unit").fetch_add(2, Ordering::Relaxed);
        refused.of("discover-child").fetch_add(1, Ordering::Relaxed);
        assert_eq!(refused.clone().counts(), [("capture", 0), ("unit", 2)]);
    }
}
