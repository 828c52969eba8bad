//! MQTT by rumqttc, which is trusted with nothing: it may lose what it accepted and blocks when it
//! is full. So states are published again after every connection, and nothing here waits for it.

mod connection;
pub mod settings;
mod tls;
pub mod topics;

use crate::publish::commands::{CommandPort, Reply};
use crate::publish::publisher::{Outgoing, PublishCounters, States};
use crate::publish::sinks::mqtt::connection::{Connection, Link};
use crate::publish::sinks::mqtt::settings::MqttSettings;
use rumqttc::QoS;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Why the sink cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MqttSetupError {
    /// A certificate or key.
    #[error("{path} holds no usable {what}: {reason}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The certificates do not fit together.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The broker's password.
    #[error("the broker's password cannot be had")]
    Secret(#[from] crate::secret::SecretError),
}

/// How often states that the client had no room for are tried again.
const RETRY: Duration = Duration::from_millis(200);

/// The sink before it runs.
pub struct MqttSink {
    connection: Connection,
    sender: Sender,
}

/// What publishing needs once the connection runs.
struct Sender {
    available: String,
    reply: String,
    /// What is subscribed to, if commands are wanted.
    commands: Option<String>,
    counters: Arc<PublishCounters>,
}

impl std::fmt::Debug for MqttSink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MqttSink").field("available", &self.sender.available).finish_non_exhaustive()
    }
}

impl MqttSink {
    /// Reads certificates and password; connects later.
    ///
    /// # Errors
    /// [`MqttSetupError`] naming the file.
    pub fn new(settings: &MqttSettings, box_id: &str, counters: Arc<PublishCounters>) -> Result<Self, MqttSetupError> {
        let available = topics::available(&settings.topic_prefix, box_id);
        let connection = Connection::new(settings, box_id, &available)?;
        let (prefix, reply) = (&settings.topic_prefix, topics::reply(&settings.topic_prefix, box_id));
        let commands = settings.commands.then(|| topics::commands(prefix, box_id));
        Ok(Self { connection, sender: Sender { available, reply, commands, counters } })
    }

    /// Publishes until `stop` turns true; then says goodbye.
    pub async fn run(
        self,
        mut outbox: mpsc::Receiver<Outgoing>,
        mut states: watch::Receiver<States>,
        port: CommandPort,
        mut stop: watch::Receiver<bool>,
    ) {
        let Self { connection, sender } = self;
        let CommandPort { incoming, mut replies } = port;
        let (link, mut connected, done) = connection.start(Arc::clone(&sender.counters), incoming);
        let mut published = States::new();
        let mut pending = States::new();
        let mut retry = tokio::time::interval(RETRY);
        while !*stop.borrow() {
            tokio::select! {
                changed = connected.changed() => {
                    if changed.is_err() { return }
                    published.clear();
                    pending.clear();
                    if *connected.borrow_and_update() > 0 {
                        sender.subscribe(&link);
                        pending.insert(sender.available.clone(), b"online".to_vec());
                        pending.extend(states.borrow_and_update().clone());
                    }
                }
                changed = states.changed() => {
                    if changed.is_err() { break }
                    pending.extend(news(&states.borrow_and_update(), &published));
                }
                Some(reply) = replies.recv() => sender.publish_reply(&link, reply),
                Some(message) = outbox.recv() => sender.publish_detections(&link, message),
                _ = retry.tick(), if !pending.is_empty() => {}
                _ = stop.changed() => {}
            }
            sender.publish_states(&link, &mut pending, &mut published);
        }
        pending.extend(news(&states.borrow(), &published));
        sender.publish_states(&link, &mut pending, &mut published);
        while let Ok(message) = outbox.try_recv() {
            sender.publish_detections(&link, message);
        }
        sender.say_goodbye(&link, done).await;
    }
}

impl Sender {
    fn is_connected(&self) -> bool {
        self.counters.connected.load(Ordering::Relaxed)
    }

    /// A detection that comes late is worth nothing: it goes now or not at all.
    fn publish_detections(&self, link: &Link, message: Outgoing) {
        if !self.is_connected() {
            self.counters.dropped_broker_away.fetch_add(1, Ordering::Relaxed);
        } else if !link.try_publish(&message.topic, QoS::AtMostOnce, false, message.payload) {
            self.counters.dropped_queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The client is new and has room, so this is not tried twice.
    fn subscribe(&self, link: &Link) {
        if let Some(topic) = &self.commands
            && !link.try_subscribe(topic)
        {
            tracing::warn!(topic, "commands cannot be subscribed to on this connection");
        }
    }

    fn publish_reply(&self, link: &Link, reply: Reply) {
        let topic = reply.to.topic.as_ref().unwrap_or(&self.reply);
        if !self.is_connected() || !link.try_reply(topic, reply.payload, reply.to.correlation) {
            tracing::warn!(topic, "an answer to a command is dropped: the broker is away or slow");
        }
    }

    fn publish_states(&self, link: &Link, pending: &mut States, published: &mut States) {
        if !self.is_connected() {
            return;
        }
        pending.retain(|topic, payload| {
            let qos = if topics::is_snapshot(topic) { QoS::AtMostOnce } else { QoS::AtLeastOnce };
            let has_room = link.try_publish(topic, qos, true, payload.clone());
            if has_room {
                published.insert(topic.clone(), std::mem::take(payload));
            }
            !has_room
        });
    }

    /// `stopped` instead of the will's `offline`, and a disconnect that tells the broker not to send the will.
    async fn say_goodbye(&self, link: &Link, done: tokio::task::JoinHandle<()>) {
        if !self.is_connected() {
            done.abort();
            return;
        }
        while !link.try_publish(&self.available, QoS::AtLeastOnce, true, b"stopped".to_vec()) {
            tokio::time::sleep(RETRY).await;
        }
        while !link.try_disconnect() {
            tokio::time::sleep(RETRY).await;
        }
        // The caller bounds this wait.
        drop(done.await);
    }
}

/// The states that have not been published as they are now.
fn news(states: &States, published: &States) -> BTreeMap<String, Vec<u8>> {
    let is_new = |(topic, payload): &(&String, &Vec<u8>)| published.get(*topic) != Some(*payload);
    states.iter().filter(is_new).map(|(topic, payload)| (topic.clone(), payload.clone())).collect()
}
