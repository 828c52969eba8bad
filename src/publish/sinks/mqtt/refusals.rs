//! What the broker refuses: topics that it does not take, subscriptions that it does not grant.
//!
//! Each is retried once a minute, is a trouble of the box meanwhile, and is logged once per kind of topic: a broker that
//! forbids one camera's label counts forbids eighty topics. This module neither publishes nor waits; the sender tells it
//! each answer, and asks before it tries again.

use crate::vision::monotonic::Monotonic;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The access list of a broker changes when somebody changes it.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// What was asked of the broker.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Request {
    /// To take a retained message.
    Publish,
    /// To send messages.
    Subscribe,
}

#[derive(Debug)]
struct Refusal {
    reason: String,
    retry_at: Monotonic,
}

/// What is refused now.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// For the cure in messages: how the broker's access list names this box.
    client: String,
    publishes: BTreeMap<String, Refusal>,
    subscriptions: BTreeMap<String, Refusal>,
    /// The kinds of topic that were logged.
    logged: BTreeSet<(Request, String)>,
}

impl Refusals {
    /// `client` says how the broker knows this box, such as ``client id `gate-1` ``.
    pub(super) fn new(client: String) -> Self {
        Self { client, ..Self::default() }
    }

    /// The broker is connected, and everything for which `is_asked` is true is asked anew. The rest is of no interest any
    /// more, such as the topics of a camera that was removed.
    pub(super) fn connected(&mut self, is_asked: impl Fn(Request, &str) -> bool, now: Monotonic) {
        for request in [Request::Publish, Request::Subscribe] {
            self.of_mut(request).retain(|topic, _| is_asked(request, topic));
            self.of_mut(request).values_mut().for_each(|refusal| refusal.retry_at = now);
        }
    }

    /// True while a request must wait because the broker refused it less than a minute ago.
    pub(super) fn is_held(&self, request: Request, topic: &str, now: Monotonic) -> bool {
        self.of(request).get(topic).is_some_and(|refusal| now < refusal.retry_at)
    }

    /// The request is sent again; the next one waits for another minute.
    pub(super) fn tried(&mut self, request: Request, topic: &str, now: Monotonic) {
        if let Some(refusal) = self.of_mut(request).get_mut(topic) {
            refusal.retry_at = now + RETRY_AFTER;
        }
    }

    /// The broker refused it.
    pub(super) fn refused(&mut self, request: Request, topic: &str, reason: String, now: Monotonic) {
        if self.logged.insert((request, kind(topic).to_owned())) {
            let cure = self.cure(request, &reason);
            match request {
                Request::Publish => tracing::warn!(
                    topic,
                    reason,
                    "the broker refuses this retained topic, which is retried each minute: {cure}. Others of its kind \
                     are not logged"
                ),
                Request::Subscribe => tracing::warn!(
                    topic,
                    reason,
                    "the broker refuses this subscription, which is retried each minute: {cure}"
                ),
            }
        }
        self.of_mut(request).insert(topic.to_owned(), Refusal { reason, retry_at: now + RETRY_AFTER });
    }

    /// The broker accepted it. True if it was refused before.
    pub(super) fn accepted(&mut self, request: Request, topic: &str) -> bool {
        if self.of_mut(request).remove(topic).is_none() {
            return false;
        }
        if !self.of(request).keys().any(|other| kind(other) == kind(topic)) {
            self.logged.remove(&(request, kind(topic).to_owned()));
            match request {
                Request::Publish => tracing::info!(topic, "the broker takes this retained topic again"),
                Request::Subscribe => tracing::info!(topic, "the broker grants this subscription again"),
            }
        }
        true
    }

    /// The subscriptions to ask for again.
    pub(super) fn due_subscriptions(&self, now: Monotonic) -> Vec<String> {
        let due = self.subscriptions.iter().filter(|(_, refusal)| now >= refusal.retry_at);
        due.map(|(topic, _)| topic.clone()).collect()
    }

    /// What is refused, in sentences for the operator.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some((topic, Refusal { reason, .. })) = self.publishes.first_key_value() {
            let what = match self.publishes.len() {
                1 => format!("the retained topic `{topic}`"),
                count => format!("{count} retained topics, such as `{topic}`"),
            };
            let cure = self.cure(Request::Publish, reason);
            troubles.push(format!("the broker refuses {what} ({reason}): {cure}"));
        }
        for (topic, Refusal { reason, .. }) in &self.subscriptions {
            let cure = self.cure(Request::Subscribe, reason);
            troubles.push(format!("the broker refuses the subscription to `{topic}` ({reason}): {cure}"));
        }
        troubles
    }

    fn of(&self, request: Request) -> &BTreeMap<String, Refusal> {
        match request {
            Request::Publish => &self.publishes,
            Request::Subscribe => &self.subscriptions,
        }
    }

    fn of_mut(&mut self, request: Request) -> &mut BTreeMap<String, Refusal> {
        match request {
            Request::Publish => &mut self.publishes,
            Request::Subscribe => &mut self.subscriptions,
        }
    }

    fn cure(&self, request: Request, reason: &str) -> String {
        match (request, reason) {
            (_, "QuotaExceeded") => "raise the broker's quota for this box".to_owned(),
            (_, "TopicNameInvalid" | "TopicFilterInvalid") => {
                "the broker allows no such topic: change mqtt.topic_prefix or the broker's rules".to_owned()
            }
            (_, "PayloadFormatInvalid") => "the broker's rules for payloads do not fit this topic".to_owned(),
            (Request::Publish, _) => {
                format!("its access list must allow {} to publish retained messages there", self.client)
            }
            (Request::Subscribe, _) => format!("its access list must allow {} to subscribe there", self.client),
        }
    }
}

/// The kind of a topic: its last level, and `labels` for all label counts.
fn kind(topic: &str) -> &str {
    let level = topic.rsplit('/').next().unwrap_or_default();
    if topic.contains("/labels/") { "labels" } else { level }
}

#[cfg(test)]
mod tests {
    use super::Request::{Publish, Subscribe};
    use super::*;

    const STATE: &str = "ocelli/gate/state";
    const COMMANDS: &str = "ocelli/gate/command/+";

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn refusals() -> Refusals {
        Refusals::new("client id `gate`".into())
    }

    #[test]
    fn a_refused_topic_waits_for_a_minute_and_again_after_each_try() {
        let mut refusals = refusals();
        assert!(!refusals.is_held(Publish, STATE, at(0)));
        refusals.refused(Publish, STATE, "NotAuthorized".into(), at(0));
        assert!(refusals.is_held(Publish, STATE, at(59)) && !refusals.is_held(Subscribe, STATE, at(59)));
        assert!(!refusals.is_held(Publish, STATE, at(60)));
        refusals.tried(Publish, STATE, at(60));
        assert!(refusals.is_held(Publish, STATE, at(119)), "the answer is not waited for with another try");
        refusals.accepted(Publish, STATE);
        assert!(!refusals.is_held(Publish, STATE, at(61)) && refusals.troubles().is_empty());
    }

    #[test]
    fn a_trouble_names_topic_reason_and_cure_and_counts_the_rest() {
        let mut refusals = refusals();
        refusals.refused(Publish, STATE, "NotAuthorized".into(), at(0));
        let only = "the broker refuses the retained topic `ocelli/gate/state` (NotAuthorized): its access list must \
                    allow client id `gate` to publish retained messages there";
        assert_eq!(refusals.troubles(), [only]);
        refusals.refused(Publish, "ocelli/gate/available", "QuotaExceeded".into(), at(0));
        refusals.refused(Subscribe, COMMANDS, "Failure".into(), at(0));
        let all = refusals.troubles();
        assert!(all[0].contains("2 retained topics, such as `ocelli/gate/available`") && all[0].contains("quota"));
        assert!(all[1].contains(COMMANDS) && all[1].contains("to subscribe there"), "{all:?}");
    }

    #[test]
    fn one_label_is_logged_for_all_and_told_again_only_after_all_were_accepted() {
        let mut refusals = refusals();
        let topics = ["person", "car"].map(|label| format!("ocelli/gate/cameras/yard/labels/{label}"));
        topics.iter().for_each(|topic| refusals.refused(Publish, topic, "NotAuthorized".into(), at(0)));
        assert_eq!(refusals.logged.len(), 1);
        refusals.accepted(Publish, &topics[0]);
        assert_eq!(refusals.logged.len(), 1, "the other one is still refused");
        refusals.accepted(Publish, &topics[1]);
        assert!(refusals.logged.is_empty());
    }

    #[test]
    fn a_new_connection_asks_at_once_and_forgets_what_it_does_not_ask() {
        let mut refusals = refusals();
        for (request, topic) in [(Publish, STATE), (Publish, "ocelli/gate/cameras/barn/state"), (Subscribe, COMMANDS)] {
            refusals.refused(request, topic, "NotAuthorized".into(), at(0));
        }
        assert!(refusals.due_subscriptions(at(59)).is_empty());
        assert_eq!(refusals.due_subscriptions(at(60)), [COMMANDS]);
        refusals.connected(|_, topic| !topic.contains("barn"), at(1));
        assert!(!refusals.is_held(Publish, STATE, at(1)));
        assert_eq!((refusals.publishes.len(), refusals.subscriptions.len()), (1, 1));
    }
}
