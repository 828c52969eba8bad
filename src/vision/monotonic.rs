//! Monotonic time as plain data.
//!
//! `std::time::Instant` cannot be sent to another process. `CLOCK_MONOTONIC` is the same for all processes of a box, so
//! its nanoseconds can. Decision code takes a [`Monotonic`] as `now`.

use serde::{Deserialize, Serialize};
use std::ops::Add;
use std::time::Duration;

/// Nanoseconds of `CLOCK_MONOTONIC`. Comparable between processes of one boot, and only there.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Monotonic(u64);

impl Monotonic {
    /// From nanoseconds since the clock's epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;
    /// Saturates at 584 years.
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}
