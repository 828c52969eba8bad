//! Publishes over changing connections: all states again with each new one, detections immediately or not at all.

use crate::os::clock::monotonic_now;
use crate::publish::commands::{CommandPort, Reply};
use crate::publish::outgoing::{Inventory, Outgoing, PublishCounters, States};
use crate::publish::sinks::mqtt::clean_up::CleanUp;
use crate::publish::sinks::mqtt::client::Message;
use crate::publish::sinks::mqtt::command_topics::CommandTopics;
use crate::publish::sinks::mqtt::connection::{Connection, Link};
use crate::publish::sinks::mqtt::discovery::Discovery;
use crate::publish::sinks::mqtt::event_loop::Incoming;
use crate::publish::sinks::mqtt::event_stream::EventStream;
use crate::publish::sinks::mqtt::owners::Owners;
use crate::publish::sinks::mqtt::refusals::Request;
use crate::publish::sinks::mqtt::removed_cameras::Step;
use crate::publish::sinks::mqtt::requests::{Requests, state_message};
use crate::publish::sinks::mqtt::topics;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Retry period for what found the client's queue full.
const RETRY: Duration = Duration::from_millis(200);

/// Upper bound of a packet's bytes beside topic and payload.
const HEADERS: usize = 64;

/// The topics that the sink itself uses.
pub(super) struct SinkTopics {
    pub(super) prefix: String,
    pub(super) box_id: String,
    pub(super) available: String,
    pub(super) commands: CommandTopics,
    /// Set when Home Assistant discovery is enabled.
    pub(super) discovery: Option<Discovery>,
    pub(super) clean_up: CleanUp,
    /// Set in a cluster.
    pub(super) owners: Option<Owners>,
}

/// What the publisher passes to this task.
pub(super) struct Inputs {
    pub(super) detections: mpsc::Receiver<Outgoing>,
    pub(super) states: watch::Receiver<States>,
    pub(super) inventory: watch::Receiver<Inventory>,
    pub(super) commands: CommandPort,
    pub(super) stop: watch::Receiver<bool>,
}

impl SinkTopics {
    /// What this box listens to: commands, Home Assistant, and who looks at the cluster's cameras.
    fn subscriptions(&self) -> Vec<String> {
        let discovery = self.discovery.iter().flat_map(Discovery::topics).map(str::to_owned);
        let owners = self.owners.iter().map(Owners::subscription);
        self.commands.subscription.iter().cloned().chain(discovery).chain(owners).collect()
    }
}

/// The task that publishes.
pub(super) struct Sender {
    topics: SinkTopics,
    detections_expire: u32,
    counters: Arc<PublishCounters>,
    link: Option<Link>,
    events: EventStream,
    requests: Requests,
    published: States,
    pending: States,
    /// Steps of the clean-up that wait for room in the client's queue.
    steps: VecDeque<Step>,
}

impl Sender {
    pub(super) fn new(
        topics: SinkTopics,
        detections_expire: u32,
        counters: Arc<PublishCounters>,
        events: EventStream,
        requests: Requests,
    ) -> Self {
        let (published, pending) = (States::new(), States::new());
        let steps = VecDeque::new();
        Self { topics, detections_expire, counters, link: None, events, requests, published, pending, steps }
    }

    /// Runs until `stop` turns true; then sends what is queued and disconnects.
    pub(super) async fn run(mut self, mut connection: Connection, inputs: Inputs) {
        let Inputs { mut detections, mut states, mut inventory, mut commands, mut stop } = inputs;
        let mut retry = tokio::time::interval(RETRY);
        while !*stop.borrow() {
            tokio::select! {
                changed = connection.link.changed() => {
                    if changed.is_err() { return }
                    let link = connection.link.borrow_and_update().clone();
                    self.follow(link, &states.borrow_and_update());
                }
                changed = states.changed() => {
                    if changed.is_err() { break }
                    self.note_news(&states.borrow_and_update());
                }
                Ok(()) = inventory.changed() => self.follow_inventory(&inventory.borrow_and_update()),
                Some(reply) = commands.replies.recv() => self.publish_reply(reply),
                Some(message) = detections.recv() => self.publish_detections(message),
                () = self.events.step() => {}
                topic = self.requests.next_refused_state() => self.note_refused(topic),
                Some(message) = connection.incoming.recv() => self.receive(message, &states.borrow(), &commands),
                _ = retry.tick() => self.retry(),
                _ = stop.changed() => {}
            }
            self.take_steps();
            self.publish_states();
        }
        self.note_news(&states.borrow());
        self.publish_states();
        while let Ok(message) = detections.try_recv() {
            self.publish_detections(message);
        }
        self.events.finish().await;
        self.say_goodbye(connection).await;
    }

    fn retry(&mut self) {
        self.events.retry();
        self.requests.retry_subscriptions();
        let due = self.topics.clean_up.tick(monotonic_now());
        self.steps.extend(due);
    }

    /// Switches to another connection, or none.
    fn follow(&mut self, link: Option<Link>, states: &States) {
        self.published.clear();
        self.pending.clear();
        self.steps.clear();
        self.events.follow(link.clone());
        self.link.clone_from(&link);
        if link.is_none() {
            self.requests.follow(None, |_, _| false);
            self.topics.clean_up.disconnected();
            return;
        }
        self.pending.insert(self.topics.available.clone(), b"online".as_slice().into());
        self.pending.extend(states.clone());
        let wanted = self.topics.subscriptions();
        self.requests.follow(link, |request, topic| match request {
            Request::Publish => self.pending.contains_key(topic),
            Request::Subscribe => wanted.iter().any(|wanted| wanted == topic),
        });
        for topic in wanted {
            // The client's queue is empty, so no retry is needed.
            if !self.requests.try_subscribe(&topic) {
                tracing::warn!(
                    topic,
                    "subscribing failed; messages on this topic are missed until the next connection"
                );
            }
        }
        self.steps.extend(self.topics.clean_up.connected(monotonic_now()));
    }

    /// The box has other cameras, or a camera other labels.
    fn follow_inventory(&mut self, inventory: &Inventory) {
        if let Some(discovery) = &mut self.topics.discovery {
            discovery.cameras_are(&inventory.cameras);
        }
        let steps = self.topics.clean_up.inventory_is(inventory, monotonic_now());
        self.steps.extend(steps);
    }

    /// The broker refused a retained message: it waits until it may be tried again, unless a newer one does already.
    fn note_refused(&mut self, topic: String) {
        if let Some(payload) = self.published.remove(&topic) {
            self.pending.entry(topic).or_insert(payload);
        }
    }

    /// Publishes immediately or drops: a late detection is useless.
    fn publish_detections(&self, message: Outgoing) {
        let Some(link) = &self.link else {
            self.counters.dropped_broker_away.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let message = Message {
            topic: message.topic,
            payload: message.payload,
            is_acknowledged: false,
            is_retained: false,
            expires: Some(self.detections_expire),
            correlation: None,
        };
        if !link.client.try_publish(message) {
            self.counters.dropped_queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Subscribes and clears as far as the client has room.
    fn take_steps(&mut self) {
        let Some(link) = &self.link else { return };
        while let Some(step) = self.steps.pop_front() {
            let has_room = match &step {
                Step::Subscribe(topic) => self.requests.try_subscribe_to_clean_up(topic),
                Step::Unsubscribe(topic) => link.client.try_unsubscribe(topic),
                Step::Clear(topic) => {
                    if topics::is_label(topic) {
                        // Subscribers get a last number if there is room, not only the end of the topic.
                        let _: bool = self.requests.try_publish_state(topic, b"0");
                    }
                    self.pending.insert(topic.clone(), Arc::new([]));
                    true
                }
            };
            if !has_room {
                self.steps.push_front(step);
                return;
            }
        }
    }

    fn receive(&mut self, message: Incoming, states: &States, commands: &CommandPort) {
        if let Some(steps) = self.topics.clean_up.receive(&message, states) {
            self.steps.extend(steps);
            return;
        }
        if let Some(again) = self.topics.owners.as_ref().and_then(|owners| owners.receive(&message, states)) {
            self.pending.extend(again);
            return;
        }
        let now = monotonic_now();
        match self.topics.discovery.as_mut().and_then(|discovery| discovery.receive(&message, states, now)) {
            Some(news) => self.pending.extend(news),
            None => self.topics.commands.pass_on(message, commands, now),
        }
    }

    fn publish_reply(&mut self, reply: Reply) {
        let (commands, now) = (&mut self.topics.commands, monotonic_now());
        let topic = commands.of_reply(&reply, now);
        if !self.requests.try_reply(&topic, reply.payload, reply.to.correlation) {
            commands.reply_is_dropped(&topic, now);
        }
    }

    /// Queues the states that were set since they were published, also those that were set to the same: the publisher
    /// repeats some each minute. Drops those that are gone.
    fn note_news(&mut self, states: &States) {
        let is_new = |(topic, payload): &(&String, &Arc<[u8]>)| {
            !self.published.get(*topic).is_some_and(|published| Arc::ptr_eq(published, payload))
        };
        let news = states.iter().filter(is_new).map(|(topic, payload)| (topic.clone(), Arc::clone(payload)));
        self.pending.extend(news);
        let available = &self.topics.available;
        let is_meant = |topic: &String, payload: &Arc<[u8]>| {
            payload.is_empty() || topic == available || states.contains_key(topic)
        };
        self.pending.retain(|topic, payload| is_meant(topic, payload));
    }

    fn publish_states(&mut self) {
        let Some(link) = &self.link else { return };
        let (published, requests) = (&mut self.published, &mut self.requests);
        self.pending.retain(|topic, payload| {
            if topic.len() + payload.len() + HEADERS > link.max_packet_bytes {
                tracing::warn!(
                    topic,
                    bytes = payload.len(),
                    "a message exceeds the broker's maximum packet size; it is skipped"
                );
                published.insert(topic.clone(), Arc::clone(payload));
                return false;
            }
            let is_sent = requests.try_publish_state(topic, payload);
            if is_sent {
                published.insert(topic.clone(), Arc::clone(payload));
            }
            !is_sent
        });
    }

    /// Publishes `stopped`, and disconnects so that the broker does not send the will.
    async fn say_goodbye(&self, mut connection: Connection) {
        let Some(link) = &self.link else { return };
        while !link.client.try_publish(state_message(&self.topics.available, b"stopped")) {
            tokio::time::sleep(RETRY).await;
        }
        while !link.client.try_disconnect() {
            tokio::time::sleep(RETRY).await;
        }
        // The caller bounds this wait.
        drop((&mut connection.done).await);
    }
}
