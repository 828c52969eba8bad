//! How old a signature may be, also on a box that does not know the time.

use crate::http::auth::replay_window::ReplayWindow;
use crate::http::auth::sigv4::SignatureError;
use crate::os::clock::{WallClock, rfc3339_utc, unix_ms_of_basic_time};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// The rule, and what it remembers while the box does not know the time.
#[derive(Debug)]
pub struct ClockRule {
    most_skew: Duration,
    accepts_without_clock: bool,
    seen: ReplayWindow,
}

impl ClockRule {
    /// A signature may be so much older, or younger, than the box's clock says. On a box without a clock it is good for
    /// as long from when it was first seen, if it is good at all.
    pub fn new(most_skew: Duration, accepts_without_clock: bool) -> Self {
        Self { most_skew, accepts_without_clock, seen: ReplayWindow::default() }
    }

    /// Judges a signature that fits its request, made at `signed_at` (`20261124T002820Z`) by its own words, at
    /// `wall_ms` by a clock of that kind.
    ///
    /// # Errors
    /// [`SignatureError::Skewed`], [`SignatureError::NoClock`] and [`SignatureError::Replayed`].
    pub fn check(
        &mut self,
        (signature, signed_at): (&str, &str),
        (clock, wall_ms): (WallClock, i64),
        now: Monotonic,
    ) -> Result<(), SignatureError> {
        match clock {
            WallClock::Unsynchronized if !self.accepts_without_clock => Err(SignatureError::NoClock),
            WallClock::Unsynchronized if self.seen.admits(signature, self.most_skew, now) => Ok(()),
            WallClock::Unsynchronized => Err(SignatureError::Replayed),
            WallClock::Synchronized | WallClock::Unknown => {
                let skew = unix_ms_of_basic_time(signed_at).map(|signed| signed.abs_diff(wall_ms));
                match skew {
                    Some(skew) if u128::from(skew) <= self.most_skew.as_millis() => Ok(()),
                    _ => Err(SignatureError::Skewed { signed: signed_at.to_owned(), here: rfc3339_utc(wall_ms) }),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(900);
    const SIGNED_AT: &str = "20261124T002820Z";

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_signature_may_be_a_quarter_of_an_hour_away_on_either_side() {
        let mut rule = ClockRule::new(LIMIT, true);
        let signed_ms = unix_ms_of_basic_time(SIGNED_AT).unwrap();
        let mut check =
            |skew_ms: i64| rule.check(("signature", SIGNED_AT), (WallClock::Synchronized, signed_ms + skew_ms), at(0));
        for skew_ms in [-900_000, 0, 900_000] {
            assert_eq!(check(skew_ms), Ok(()), "{skew_ms}");
        }
        for skew_ms in [-900_001, 900_001, -signed_ms] {
            assert!(matches!(check(skew_ms), Err(SignatureError::Skewed { .. })), "{skew_ms}");
        }
        let no_time = rule.check(("signature", "yesterday"), (WallClock::Synchronized, signed_ms), at(0));
        assert!(matches!(no_time, Err(SignatureError::Skewed { .. })));
    }

    #[test]
    fn without_a_clock_it_is_good_for_a_while_from_when_it_was_first_seen_or_not_at_all() {
        let without = (WallClock::Unsynchronized, 0);
        let mut rule = ClockRule::new(LIMIT, true);
        for (seconds, expected) in [(10, Ok(())), (910, Ok(())), (911, Err(SignatureError::Replayed))] {
            assert_eq!(rule.check(("signature", SIGNED_AT), without, at(seconds)), expected, "{seconds}");
        }
        let mut strict = ClockRule::new(LIMIT, false);
        assert_eq!(strict.check(("signature", SIGNED_AT), without, at(10)), Err(SignatureError::NoClock));
    }
}
