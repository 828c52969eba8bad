//! Decides when to connect again and what to log of it.
//!
//! A session counts only once it has lasted: a broker that ends each one within seconds is not met once a second for
//! ever. That happens when two boxes have the same client id, because a broker ends the older session when the second
//! one connects.

use crate::publish::sinks::mqtt::failure::{AbruptEnd, Failure};
use crate::vision::monotonic::Monotonic;
use crate::vision::reconnect_ladder::seconds_before_try;
use std::time::Duration;

/// How long a session must last to count. Longer than the longest wait with its jitter: of two boxes with the same client
/// id each stays connected for as long as the other one waits.
pub(super) const PROVEN_AFTER: Duration = Duration::from_secs(90);

/// Retry period after the broker rejected the connection: credentials do not change by themselves.
const REFUSED_SECONDS: u64 = 60;

/// What to do after a failure.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Retry {
    /// Without jitter.
    pub(super) wait: Duration,
    /// For the operator; the same for the same cause.
    pub(super) reason: String,
    /// True if the reason is new. A broker that is away for a week is one line.
    pub(super) is_news: bool,
    /// True if the broker was reached, and does not let this box in.
    pub(super) is_refusal: bool,
}

/// The state of the backoff.
#[derive(Debug)]
pub(super) struct Reconnects {
    client_id: String,
    connected_at: Option<Monotonic>,
    failures: u32,
    /// Sessions in a row that ended before they were proven.
    short_sessions: u32,
    last_reason: Option<String>,
}

impl Reconnects {
    pub(super) fn new(client_id: &str) -> Self {
        let client_id = client_id.to_owned();
        Self { client_id, connected_at: None, failures: 0, short_sessions: 0, last_reason: None }
    }

    /// The broker is connected. True if this is to be logged: not for each of many short sessions.
    pub(super) fn connected(&mut self, now: Monotonic) -> bool {
        self.connected_at = Some(now);
        self.short_sessions == 0
    }

    /// The session has lasted for [`PROVEN_AFTER`]. True if its begin was not logged.
    pub(super) fn proven(&mut self) -> bool {
        let was_flapping = self.short_sessions > 0;
        (self.failures, self.short_sessions, self.last_reason) = (0, 0, None);
        was_flapping
    }

    /// True if the broker keeps ending sessions, so that being connected says little.
    pub(super) fn is_flapping(&self) -> bool {
        self.short_sessions > 1
    }

    /// The connection failed, or could not be made. `mistake_behind` explains an abrupt end before the first packet.
    pub(super) fn ended(
        &mut self,
        failure: Failure,
        mistake_behind: impl FnOnce(AbruptEnd) -> String,
        now: Monotonic,
    ) -> Retry {
        let Failure { is_refusal, mut reason, abrupt } = failure;
        match self.connected_at.take() {
            Some(since) if now.since(since) >= PROVEN_AFTER => drop(self.proven()),
            Some(_) => {
                self.short_sessions += 1;
                if self.short_sessions > 1 && abrupt.is_some() {
                    reason = format!(
                        "it ends each session soon after it began. The likely cause is another client with the same \
                         client id, `{}`: give each box its own mqtt.client_id or box_id. Otherwise the broker's log \
                         has the reason",
                        self.client_id
                    );
                }
            }
            None => {
                self.short_sessions = 0;
                if let Some(end) = abrupt {
                    reason = mistake_behind(end);
                }
            }
        }
        let seconds = if is_refusal { REFUSED_SECONDS } else { seconds_before_try(self.failures) };
        self.failures = self.failures.saturating_add(1);
        let is_news = self.last_reason.as_ref() != Some(&reason);
        self.last_reason = Some(reason.clone());
        Retry { wait: Duration::from_secs(seconds), reason, is_news, is_refusal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn closed() -> Failure {
        Failure { is_refusal: false, reason: "connection closed by peer".into(), abrupt: Some(AbruptEnd::Closed) }
    }

    /// Plays sessions of this length, each begun as soon as it may be; returns the waits and the logged reasons.
    fn play(reconnects: &mut Reconnects, sessions: usize, lasts: u64) -> (Vec<u64>, Vec<String>) {
        let (mut waits, mut logged, mut now) = (Vec::new(), Vec::new(), 1000);
        for _ in 0..sessions {
            reconnects.connected(at(now));
            now += lasts;
            let retry = reconnects.ended(closed(), |_| unreachable!("the first packet came"), at(now));
            now += retry.wait.as_secs();
            waits.push(retry.wait.as_secs());
            logged.extend(retry.is_news.then_some(retry.reason));
        }
        (waits, logged)
    }

    #[test]
    fn sessions_that_end_within_seconds_are_met_with_backoff_and_the_client_id_is_named_once() {
        let mut reconnects = Reconnects::new("gate");
        let (waits, logged) = play(&mut reconnects, 30, 1);
        assert_eq!((waits[0], waits[5], waits[10], waits[29]), (1, 5, 10, 60));
        assert_eq!(logged.len(), 2, "{logged:?}");
        assert_eq!(logged[0], "connection closed by peer");
        assert!(logged[1].contains("`gate`") && logged[1].contains("mqtt.client_id"), "{}", logged[1]);
        assert!(reconnects.is_flapping());
    }

    #[test]
    fn of_two_boxes_with_one_client_id_neither_returns_to_quick_tries() {
        // Each session lasts for as long as the other box waits, with its jitter.
        let (waits, _) = play(&mut Reconnects::new("gate"), 30, 72);
        assert_eq!(waits[29], 60);
    }

    #[test]
    fn only_the_first_of_many_short_sessions_is_logged_until_one_lasts() {
        let mut reconnects = Reconnects::new("gate");
        assert!(reconnects.connected(at(0)));
        reconnects.ended(closed(), |_| String::new(), at(1));
        assert!(!reconnects.connected(at(2)) && !reconnects.is_flapping());
        reconnects.ended(closed(), |_| String::new(), at(3));
        assert!(!reconnects.connected(at(4)) && reconnects.is_flapping());
        assert!(reconnects.proven() && !reconnects.is_flapping());
        assert_eq!(reconnects.ended(closed(), |_| String::new(), at(200)).wait.as_secs(), 1);
        assert!(reconnects.connected(at(201)));
    }

    #[test]
    fn a_session_that_lasted_is_followed_by_a_quick_try_and_its_end_is_logged() {
        let (waits, logged) = play(&mut Reconnects::new("gate"), 3, 3600);
        assert_eq!((waits, logged.len()), (vec![1, 1, 1], 3));
    }

    #[test]
    fn a_broker_that_is_away_is_one_line_and_a_refusal_waits_for_a_minute() {
        let mut reconnects = Reconnects::new("gate");
        let away = || Failure { is_refusal: false, reason: "connection refused".into(), abrupt: None };
        assert!(reconnects.ended(away(), |_| String::new(), at(0)).is_news);
        assert!(!reconnects.ended(away(), |_| String::new(), at(1)).is_news);
        let silent = reconnects.ended(closed(), |_| "it expects TLS".into(), at(2));
        assert_eq!((&*silent.reason, silent.is_news), ("it expects TLS", true));
        let refused = Failure { is_refusal: true, reason: "NotAuthorized".into(), abrupt: None };
        assert_eq!(reconnects.ended(refused, |_| String::new(), at(3)).wait.as_secs(), 60);
    }
}
