//! Sends what the broker answers, other than events: retained messages, subscriptions and replies to commands.
//!
//! What the broker refuses is counted, is a trouble of the box, and waits for a minute ([`Refusals`]).

use crate::os::clock::monotonic_now;
use crate::publish::outgoing::{PublishCounters, SinkTroubles};
use crate::publish::sinks::mqtt::client::Message;
use crate::publish::sinks::mqtt::connection::Link;
use crate::publish::sinks::mqtt::receipt::{Acknowledgement, Receipt};
use crate::publish::sinks::mqtt::refusals::{Refusals, Request};
use crate::publish::sinks::mqtt::topics;
use crate::vision::line_limit::LineLimit;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// What was sent.
#[derive(Clone, Copy, Debug)]
enum Sent {
    State,
    Subscription,
    /// A subscription that only serves to clear old topics.
    CleanUp,
    Reply,
}

/// The broker's answer to one of them.
struct Answer {
    /// Number of its connection.
    link: u64,
    sent: Sent,
    topic: String,
    how: Acknowledgement,
}

/// Sends over the current connection.
pub(super) struct Requests {
    link: Option<Link>,
    answers: JoinSet<Answer>,
    refusals: Refusals,
    is_clean_up_refused: bool,
    /// Of the lines about replies that are refused.
    reply_lines: LineLimit,
    counters: Arc<PublishCounters>,
    troubles: Arc<SinkTroubles>,
}

impl Requests {
    /// `client` says how the broker knows this box.
    pub(super) fn new(client: String, counters: Arc<PublishCounters>, troubles: Arc<SinkTroubles>) -> Self {
        Self {
            link: None,
            answers: JoinSet::new(),
            refusals: Refusals::new(client),
            is_clean_up_refused: false,
            reply_lines: LineLimit::default(),
            counters,
            troubles,
        }
    }

    /// Switches to another connection, or none. With a new one everything for which `is_asked` is true is asked anew.
    pub(super) fn follow(&mut self, link: Option<Link>, is_asked: impl Fn(Request, &str) -> bool) {
        if link.is_some() {
            self.refusals.connected(is_asked, monotonic_now());
            self.tell();
        }
        self.link = link;
    }

    /// Publishes a retained message; false when it must wait, for room or because the broker refused it.
    pub(super) fn try_publish_state(&mut self, topic: &str, payload: &[u8]) -> bool {
        let (Some(link), now) = (&self.link, monotonic_now()) else { return false };
        if self.refusals.is_held(Request::Publish, topic, now) {
            return false;
        }
        let message = state_message(topic, payload);
        if !message.is_acknowledged {
            return link.client.try_publish(message);
        }
        let Some(receipt) = link.client.try_publish_tracked(message) else { return false };
        self.refusals.tried(Request::Publish, topic, now);
        self.watch(Sent::State, topic, receipt);
        true
    }

    /// Subscribes; false when the client's queue is full.
    pub(super) fn try_subscribe(&mut self, topic: &str) -> bool {
        self.refusals.tried(Request::Subscribe, topic, monotonic_now());
        self.subscribe(Sent::Subscription, topic)
    }

    /// Subscribes to what this box may have left on the broker; false when the client's queue is full. Its refusal is no
    /// trouble: a box need not be allowed to read.
    pub(super) fn try_subscribe_to_clean_up(&mut self, topic: &str) -> bool {
        self.subscribe(Sent::CleanUp, topic)
    }

    /// Sends the reply to a command; false when the client's queue is full.
    pub(super) fn try_reply(&mut self, topic: &str, payload: Vec<u8>, correlation: Option<Vec<u8>>) -> bool {
        let message = Message {
            topic: topic.to_owned(),
            payload,
            is_acknowledged: true,
            is_retained: false,
            expires: None,
            correlation,
        };
        let Some(receipt) = self.link.as_ref().and_then(|link| link.client.try_publish_tracked(message)) else {
            return false;
        };
        self.watch(Sent::Reply, topic, receipt);
        true
    }

    /// Asks again for refused subscriptions whose minute is over.
    pub(super) fn retry_subscriptions(&mut self) {
        for topic in self.refusals.due_subscriptions(monotonic_now()) {
            if !self.try_subscribe(&topic) {
                return;
            }
        }
    }

    /// Waits until the broker refuses a retained message, and returns its topic. Follows the other answers meanwhile.
    pub(super) async fn next_refused_state(&mut self) -> String {
        loop {
            match self.answers.join_next().await {
                Some(Ok(answer)) => {
                    if let Some(topic) = self.answered(answer) {
                        return topic;
                    }
                }
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn subscribe(&mut self, sent: Sent, topic: &str) -> bool {
        let receipt = self.link.as_ref().and_then(|link| link.client.try_subscribe(topic));
        let Some(receipt) = receipt else { return false };
        self.watch(sent, topic, receipt);
        true
    }

    fn watch(&mut self, sent: Sent, topic: &str, receipt: Receipt) {
        let (link, topic) = (self.link.as_ref().map_or(0, |link| link.number), topic.to_owned());
        self.answers.spawn(async move { Answer { link, sent, topic, how: receipt.known().await } });
    }

    /// Returns the topic of a refused retained message.
    fn answered(&mut self, answer: Answer) -> Option<String> {
        let Answer { link, sent, topic, how } = answer;
        let is_of_this_link = self.link.as_ref().is_some_and(|now| now.number == link);
        let request = match sent {
            Sent::State => Some(Request::Publish),
            Sent::Subscription => Some(Request::Subscribe),
            Sent::CleanUp | Sent::Reply => None,
        };
        let reason = match how {
            _ if !is_of_this_link => return None,
            Acknowledgement::Lost => return None,
            Acknowledgement::Accepted => {
                if request.is_some_and(|request| self.refusals.accepted(request, &topic)) {
                    self.tell();
                }
                return None;
            }
            Acknowledgement::RefusedForNow(reason) | Acknowledgement::RefusedForEver(reason) => reason,
        };
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
        match (sent, request) {
            (_, Some(request)) => {
                self.refusals.refused(request, &topic, reason, monotonic_now());
                self.tell();
            }
            (Sent::Reply, None) => {
                if let Some(left_out) = self.reply_lines.admit(monotonic_now()) {
                    let count = left_out.count();
                    tracing::warn!(topic, reason, left_out = count, "the broker refuses a reply{left_out}");
                }
            }
            (_, None) if !std::mem::replace(&mut self.is_clean_up_refused, true) => tracing::info!(
                topic,
                reason,
                "the broker does not let this box read its own topics: what it retains of removed cameras and labels is \
                 not cleared"
            ),
            (_, None) => {}
        }
        matches!(sent, Sent::State).then_some(topic)
    }

    fn tell(&self) {
        self.troubles.set_refusals(self.refusals.troubles());
    }
}

/// A retained message.
pub(super) fn state_message(topic: &str, payload: &[u8]) -> Message {
    Message {
        topic: topic.to_owned(),
        payload: payload.to_owned(),
        // A picture is large, and the next one replaces it anyway.
        is_acknowledged: !topics::is_snapshot(topic),
        is_retained: true,
        expires: None,
        correlation: None,
    }
}
