//! The newest time in a signature that was accepted, kept over restarts.
//!
//! A box without a clock remembers the signatures that it has received, and forgets them when it restarts: whoever has
//! recorded a call could repeat it then. Its time is not newer than the newest one, so all that is much older is refused.

use crate::os::atomic_file;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How far the newest time moves before it is written again: an SD card is not written for each call, and what is lost is
/// less than the time for which a signature is valid anyway.
const STEP_MS: i64 = 60_000;

/// The newest signed time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SignedTimeFloor {
    newest_ms: i64,
    kept_ms: i64,
}

impl SignedTimeFloor {
    /// The floor of an earlier run.
    pub fn from_ms(newest_ms: i64) -> Self {
        Self { newest_ms, kept_ms: newest_ms }
    }

    /// Reads the floor of an earlier run; 1970 if there is none.
    pub fn read(state_directory: &Path) -> Self {
        let text = std::fs::read_to_string(file(state_directory)).unwrap_or_default();
        text.trim().parse().map(Self::from_ms).unwrap_or_default()
    }

    /// True unless a time is older than the newest by more than `max_skew`: clocks of clients differ by as much.
    pub(super) fn admits(self, signed_ms: i64, max_skew: Duration) -> bool {
        let skew_ms = i64::try_from(max_skew.as_millis()).unwrap_or(i64::MAX);
        signed_ms >= self.newest_ms.saturating_sub(skew_ms)
    }

    /// A call with this time was accepted.
    pub(super) fn raise(&mut self, signed_ms: i64) {
        self.newest_ms = self.newest_ms.max(signed_ms);
    }

    /// A call with this time was accepted by the box's clock, which also ends a floor in the future that a client with a
    /// wrong clock has set.
    pub(super) fn set(&mut self, signed_ms: i64) {
        self.newest_ms = signed_ms;
    }

    /// The newest time, if it has moved far enough to be written.
    pub(super) fn take_due(&mut self) -> Option<i64> {
        if (self.newest_ms - self.kept_ms).abs() < STEP_MS {
            return None;
        }
        self.kept_ms = self.newest_ms;
        Some(self.newest_ms)
    }
}

fn file(state_directory: &Path) -> PathBuf {
    state_directory.join("newest-signature")
}

/// Writes the floor. A disk that refuses costs what a restart would forget.
pub fn write(state_directory: &Path, newest_ms: i64) {
    if let Err(error) = atomic_file::replace(&file(state_directory), format!("{newest_ms}\n").as_bytes()) {
        tracing::debug!(%error, "the newest signed time could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_time_is_kept_each_minute_and_read_again() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(SignedTimeFloor::read(home.path()), SignedTimeFloor::default());
        let mut floor = SignedTimeFloor::from_ms(1_000_000);
        floor.raise(1_059_999);
        assert_eq!(floor.take_due(), None);
        floor.raise(1_060_000);
        floor.raise(5);
        let kept = floor.take_due().unwrap();
        assert_eq!((kept, floor.take_due()), (1_060_000, None));
        write(home.path(), kept);
        assert_eq!(SignedTimeFloor::read(home.path()), SignedTimeFloor::from_ms(kept));
        floor.set(5);
        assert_eq!(floor.take_due(), Some(5), "a clock that is right again lowers it");
    }
}
