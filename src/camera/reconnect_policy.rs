//! When a lost camera is retried: for ever, with a backoff that depends on the reason.

use crate::ipc::messages::LossKind;
use crate::vision::monotonic::Monotonic;
use crate::vision::reconnect_ladder::seconds_before_try;
use std::time::Duration;

/// Cameras lock an account after five to seven bad logins in a row, and each try is one. So three tries are 5 s apart, and
/// later ones half an hour. Credentials that have worked are hardly wrong: the camera refuses everything while it boots, so
/// they get two tries between, after 2 and 8 minutes.
fn seconds_after_refusal(refusals: u32, have_worked: bool) -> u64 {
    match refusals {
        0..3 => 5,
        3 if have_worked => 2 * 60,
        4 if have_worked => 8 * 60,
        _ => 30 * 60,
    }
}

/// Most outages are short: a camera that boots, a switch that is plugged in again. Its frames are to be back five seconds after
/// it is well, which leaves 2.4 s for the wait. After two minutes the ladder goes on where others wait ten seconds.
fn seconds_after_failures(failures: u32) -> u64 {
    const SHORT_WAITS: u32 = 65;
    match failures {
        0..5 => 1,
        5..SHORT_WAITS => 2,
        _ => seconds_before_try(10 + failures - SHORT_WAITS),
    }
}

/// A camera that reports no free RTSP session is usually still holding our dead one. Wait out its session timeout, once.
const BUSY_SECONDS: u64 = 60;

/// A stream that ran this long has recovered: the backoff starts anew.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);

/// The refused logins of a camera in a row, over all its streams: it locks the account whichever of them asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Logins {
    refusals: u32,
    refused_at: Option<Monotonic>,
}

impl Logins {
    /// A stream that began at `began` has run well: its login was taken. Refusals since then still count.
    fn taken(&mut self, began: Monotonic) {
        if self.refused_at.is_none_or(|refused_at| refused_at <= began) {
            *self = Self::default();
        }
    }

    fn refused(&mut self, now: Monotonic) {
        (self.refusals, self.refused_at) = (self.refusals + 1, Some(now));
    }
}

/// Counts the consecutive failures of a stream. Rejected credentials are counted for the whole camera, in [`Logins`], and
/// have a backoff of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReconnectPolicy {
    failures: u32,
    has_waited_for_session: bool,
    /// Frames have arrived with these credentials.
    have_worked: bool,
    /// The state of the jitter, seeded per stream so that streams that fail together do not reconnect together.
    noise: u64,
}

impl ReconnectPolicy {
    /// The policy of a stream, whose jitter its `name` seeds.
    pub(crate) fn of(name: &str) -> Self {
        // FNV-1a: any hash of the name will do, and this one is short.
        let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        Self::new(name.bytes().fold(14_695_981_039_346_656_037, hash))
    }

    /// `seed` must differ between streams.
    fn new(seed: u64) -> Self {
        Self { noise: seed | 1, ..Self::default() }
    }

    /// Returns when to retry, with ±20 % jitter. `began` is when frames began to arrive, if they ever did.
    pub(crate) fn lost(
        &mut self,
        kind: LossKind,
        began: Option<Monotonic>,
        logins: &mut Logins,
        now: Monotonic,
    ) -> Monotonic {
        if let Some(began) = began.filter(|began| now.since(*began) >= RECOVERED_AFTER) {
            logins.taken(began);
            let noise = self.noise;
            *self = Self { noise, have_worked: true, ..Self::default() };
        }
        self.have_worked |= began.is_some();
        if self.have_worked && is_away(kind) {
            // It boots, or has another address: what it refused before says nothing of what comes.
            *logins = Logins::default();
        }
        let seconds = match kind {
            LossKind::AuthFailed => {
                logins.refused(now);
                seconds_after_refusal(logins.refusals, self.have_worked)
            }
            LossKind::Busy if !self.has_waited_for_session => {
                self.has_waited_for_session = true;
                BUSY_SECONDS
            }
            _ => {
                self.failures += 1;
                seconds_after_failures(self.failures - 1)
            }
        };
        now + self.jitter(Duration::from_secs(seconds))
    }

    /// Spreads reconnects by ±20 % (xorshift64; it need not be unpredictable).
    fn jitter(&mut self, time: Duration) -> Duration {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        let share = (self.noise % 401) as f64 / 1000.0;
        time.mul_f64(0.8 + share)
    }
}

/// True if nobody was there.
fn is_away(kind: LossKind) -> bool {
    use LossKind::{NoRoute, NoSuchName, Refused, TimedOut, Unreachable};
    matches!(kind, Refused | NoSuchName | NoRoute | TimedOut | Unreachable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera of one stream.
    struct Alone {
        policy: ReconnectPolicy,
        logins: Logins,
    }

    impl Alone {
        fn new(seed: u64) -> Self {
            Self { policy: ReconnectPolicy::new(seed), logins: Logins::default() }
        }

        /// It streamed for so long, and is lost.
        fn lost(&mut self, kind: LossKind, streamed_for: Option<Duration>, now: Monotonic) -> Monotonic {
            let began = streamed_for
                .map(|time| Monotonic::from_nanos(now.as_nanos() - u64::try_from(time.as_nanos()).unwrap()));
            self.policy.lost(kind, began, &mut self.logins, now)
        }
    }

    /// Late enough for streams that began before.
    fn now() -> Monotonic {
        Monotonic::from_nanos(100_000 * 1_000_000_000)
    }

    fn waits(kind: LossKind, times: usize) -> Vec<f64> {
        let (mut policy, now) = (Alone::new(7), now());
        (0..times).map(|_| policy.lost(kind, None, now).since(now).as_secs_f64()).collect()
    }

    fn assert_near(waits: &[f64], expected: f64) {
        for wait in waits {
            assert!((expected * 0.8..=expected * 1.2).contains(wait), "{wait} is not {expected} ± 20 %");
        }
    }

    #[test]
    fn a_lost_camera_is_retried_with_backoff_for_ever() {
        let waits = waits(LossKind::Unreachable, 95);
        assert_near(&waits[..5], 1.0);
        assert_near(&waits[5..65], 2.0);
        assert_near(&waits[65..75], 10.0);
        assert_near(&waits[75..], 60.0);
        assert!(waits[..5].windows(2).any(|pair| pair[0] != pair[1]), "there is jitter");
    }

    #[test]
    fn rejected_credentials_have_a_slow_backoff_of_their_own() {
        let waits = waits(LossKind::AuthFailed, 6);
        assert_near(&waits[..2], 5.0);
        assert_near(&waits[2..], 1800.0);
    }

    /// How many logins a camera sees within `hours` of refusing all.
    fn logins(policy: &mut Alone, hours: u64) -> usize {
        let mut now = Monotonic::from_nanos(0);
        let end = now + Duration::from_secs(hours * 3600);
        let mut logins = 0;
        while now < end {
            logins += 1;
            now = policy.lost(LossKind::AuthFailed, None, now);
        }
        logins
    }

    #[test]
    fn a_wrong_password_costs_at_most_five_logins_in_an_hour() {
        for seed in 0..100 {
            let logins = logins(&mut Alone::new(seed), 1);
            // Three at once, then one each half hour, which the jitter makes 24 minutes at least.
            assert!((4..=5).contains(&logins), "{logins}");
        }
    }

    #[test]
    fn credentials_that_have_worked_get_two_tries_more_before_the_half_hour() {
        let (mut policy, now) = (Alone::new(7), now());
        policy.lost(LossKind::Ended, Some(Duration::from_secs(3600)), now);
        let waits: Vec<f64> =
            (0..7).map(|_| policy.lost(LossKind::AuthFailed, None, now).since(now).as_secs_f64()).collect();
        assert_near(&waits[..2], 5.0);
        assert_near(&waits[2..3], 120.0);
        assert_near(&waits[3..4], 480.0);
        assert_near(&waits[4..], 1800.0);
    }

    #[test]
    fn a_camera_that_was_away_begins_anew_if_its_credentials_have_worked() {
        let now = now();
        let wait_after_reboot = |policy: &mut Alone| {
            for _ in 0..6 {
                policy.lost(LossKind::AuthFailed, None, now);
            }
            policy.lost(LossKind::Refused, None, now);
            policy.lost(LossKind::AuthFailed, None, now).since(now).as_secs_f64()
        };
        let mut worked = Alone::new(7);
        worked.lost(LossKind::Ended, Some(Duration::from_secs(60)), now);
        assert_near(&[wait_after_reboot(&mut worked)], 5.0);
        // Else a network that comes and goes would bring three wrong logins each time.
        assert_near(&[wait_after_reboot(&mut Alone::new(7))], 1800.0);
    }

    #[test]
    fn a_camera_without_a_free_session_is_given_a_session_timeout_once() {
        let waits = waits(LossKind::Busy, 3);
        assert_near(&waits[..1], 60.0);
        assert_near(&waits[1..], 1.0);
    }

    #[test]
    fn a_stream_that_ran_resets_the_backoff() {
        let (mut policy, now) = (Alone::new(7), now());
        for _ in 0..30 {
            policy.lost(LossKind::Ended, Some(Duration::from_secs(1)), now);
        }
        let wait = policy.lost(LossKind::Ended, Some(Duration::from_secs(11)), now).since(now);
        assert_near(&[wait.as_secs_f64()], 1.0);
    }
    #[test]
    fn refusals_of_both_streams_of_a_camera_count_together() {
        let (mut analysed, mut main) = (ReconnectPolicy::new(7), ReconnectPolicy::new(8));
        let (mut logins, now) = (Logins::default(), now());
        let minute = Duration::from_secs(60);
        let mut wait = |policy: &mut ReconnectPolicy, kind, began, at: Monotonic| {
            policy.lost(kind, began, &mut logins, at).since(at).as_secs_f64()
        };
        let refused = LossKind::AuthFailed;
        assert_near(&[wait(&mut main, refused, None, now), wait(&mut main, refused, None, now + minute)], 5.0);
        // The other one has run since before that, so its login says nothing of what the camera refuses now.
        wait(&mut analysed, LossKind::Ended, Some(now), now + minute * 2);
        assert_near(&[wait(&mut analysed, refused, None, now + minute * 3)], 120.0);
        assert_near(&[wait(&mut main, refused, None, now + minute * 4)], 1800.0);
        // One that began afterwards shows that the camera takes logins.
        wait(&mut analysed, LossKind::Ended, Some(now + minute * 5), now + minute * 6);
        assert_near(&[wait(&mut main, refused, None, now + minute * 7)], 5.0);
    }
}
