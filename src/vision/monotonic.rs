//! Monotonic time as plain data.
//!
//! `std::time::Instant` cannot cross a process boundary; `CLOCK_MONOTONIC` is the same for every
//! process of a box, so its nanoseconds can. Deciding code is given a [`Monotonic`] as `now`.

use serde::{Deserialize, Serialize};
use std::ops::Add;
use std::time::Duration;

/// Nanoseconds of `CLOCK_MONOTONIC`. Comparable between the processes of one boot, meaningless beyond.
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

    /// Time since `earlier`; zero if `earlier` lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;
    /// Saturates after 584 years.
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}
