//! How old a signature may be, with a synchronised clock and without one.

use crate::http::auth::replay_window::ReplayWindow;
use crate::http::auth::signed_time_floor::SignedTimeFloor;
use crate::http::auth::sigv4::SignatureError;
use crate::os::clock::{WallClock, rfc3339_utc, unix_ms_of_basic_time};
use crate::vision::monotonic::Monotonic;
use std::time::Duration;

/// Judges the age of signatures, and remembers those received without a synchronised clock.
#[derive(Debug)]
pub struct ClockRule {
    max_skew: Duration,
    accepts_without_clock: bool,
    received: ReplayWindow,
    floor: SignedTimeFloor,
}

impl ClockRule {
    /// The time of a signature may differ from the box's clock by `max_skew`. Without a synchronised clock a signature is
    /// valid for that long after it was first received, or refused if `accepts_without_clock` is false.
    pub fn new(max_skew: Duration, accepts_without_clock: bool) -> Self {
        let (received, floor) = (ReplayWindow::default(), SignedTimeFloor::default());
        Self { max_skew, accepts_without_clock, received, floor }
    }

    /// Goes on from the newest signed time of an earlier run.
    #[must_use]
    pub fn from_floor(self, floor: SignedTimeFloor) -> Self {
        Self { floor, ..self }
    }

    /// The newest signed time, if it is due to be written down.
    pub fn take_due_floor(&mut self) -> Option<i64> {
        self.floor.take_due()
    }

    /// Judges the age of a signature that matches its request. `signed_at` is the time inside it (`20261124T002820Z`),
    /// `wall_ms` the time of the box's clock.
    ///
    /// # Errors
    /// [`SignatureError::Skewed`], [`SignatureError::NoClock`] and [`SignatureError::Replayed`].
    pub fn check(
        &mut self,
        (signature, signed_at): (&str, &str),
        (clock, wall_ms): (WallClock, i64),
        now: Monotonic,
    ) -> Result<(), SignatureError> {
        let signed_ms = unix_ms_of_basic_time(signed_at);
        match clock {
            WallClock::Unsynchronized if !self.accepts_without_clock => Err(SignatureError::NoClock),
            WallClock::Unsynchronized => match signed_ms {
                Some(signed_ms)
                    if self.floor.admits(signed_ms, self.max_skew)
                        && self.received.admits(signature, self.max_skew, now) =>
                {
                    self.floor.raise(signed_ms);
                    Ok(())
                }
                _ => Err(SignatureError::Replayed),
            },
            WallClock::Synchronized | WallClock::Unknown => match signed_ms {
                Some(signed_ms) if u128::from(signed_ms.abs_diff(wall_ms)) <= self.max_skew.as_millis() => {
                    self.floor.set(signed_ms);
                    Ok(())
                }
                _ => Err(SignatureError::Skewed { signed: signed_at.to_owned(), here: rfc3339_utc(wall_ms) }),
            },
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
    fn the_time_of_a_signature_may_differ_by_a_quarter_of_an_hour() {
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
    fn without_a_clock_a_signature_is_valid_for_a_while_after_it_was_first_received_or_never() {
        let without = (WallClock::Unsynchronized, 0);
        let mut rule = ClockRule::new(LIMIT, true);
        for (seconds, expected) in [(10, Ok(())), (910, Ok(())), (911, Err(SignatureError::Replayed))] {
            assert_eq!(rule.check(("signature", SIGNED_AT), without, at(seconds)), expected, "{seconds}");
        }
        // After a restart the memory of signatures is gone, and the newest time is not.
        let floor = SignedTimeFloor::from_ms(unix_ms_of_basic_time(SIGNED_AT).unwrap());
        let mut next = ClockRule::new(LIMIT, true).from_floor(floor);
        for (signed_at, expected) in [
            ("20261124T001319Z", Err(SignatureError::Replayed)),
            ("20261124T001320Z", Ok(())),
            ("20261124T010000Z", Ok(())),
            (SIGNED_AT, Err(SignatureError::Replayed)),
        ] {
            assert_eq!(next.check((signed_at, signed_at), without, at(10)), expected, "{signed_at}");
        }
        let mut strict = ClockRule::new(LIMIT, false);
        assert_eq!(strict.check(("signature", SIGNED_AT), without, at(10)), Err(SignatureError::NoClock));
    }
}
