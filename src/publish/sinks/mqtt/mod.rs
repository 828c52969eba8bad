//! The MQTT sink. It does not rely on the client library: a client may lose messages that it accepted, and each
//! connection has a new one. So events stay in the outbox until the broker acknowledges them, all states are published
//! again with each connection, and nothing here waits for the client.

mod ack_watch;
mod clean_up;
mod client;
mod command_topics;
mod connect_refusal;
mod connection;
mod discovery;
mod event_loop;
mod event_stream;
mod failure;
mod owners;
mod receipt;
mod reconnects;
mod refusals;
mod removed_cameras;
mod requests;
mod sender;
pub mod settings;
mod setup_error;
mod stale_labels;
pub mod topics;
mod transport;
pub(crate) mod trial;

use crate::publish::cluster_link::ClusterLink;
use crate::publish::commands::CommandPort;
use crate::publish::outbox::SinkEnd;
use crate::publish::outgoing::{Inventory, Outgoing, PublishCounters, SinkTroubles, States};
use crate::publish::sinks::mqtt::clean_up::CleanUp;
use crate::publish::sinks::mqtt::client::ClientOptions;
use crate::publish::sinks::mqtt::command_topics::CommandTopics;
use crate::publish::sinks::mqtt::discovery::Discovery;
use crate::publish::sinks::mqtt::event_stream::EventStream;
use crate::publish::sinks::mqtt::owners::Owners;
use crate::publish::sinks::mqtt::requests::Requests;
use crate::publish::sinks::mqtt::sender::{Inputs, Sender, SinkTopics};
use crate::publish::sinks::mqtt::settings::MqttSettings;
pub use crate::publish::sinks::mqtt::setup_error::MqttSetupError;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The sink before it runs.
pub struct MqttSink {
    options: ClientOptions,
    topics: SinkTopics,
    /// Expiry of a frame's detections, in seconds.
    detections_expire: u32,
}

/// The sink's inputs, without the events.
#[derive(Debug)]
pub(in crate::publish) struct SinkInputs {
    pub(in crate::publish) detections: mpsc::Receiver<Outgoing>,
    pub(in crate::publish) states: watch::Receiver<States>,
    pub(in crate::publish) inventory: watch::Receiver<Inventory>,
    pub(in crate::publish) commands: CommandPort,
    pub(in crate::publish) stop: watch::Receiver<bool>,
}

impl std::fmt::Debug for MqttSink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MqttSink").field("broker", &self.options.broker()).finish_non_exhaustive()
    }
}

impl MqttSink {
    /// Reads certificates and password; connects when it runs.
    ///
    /// # Errors
    /// [`MqttSetupError`] naming the file.
    pub(in crate::publish) fn new(
        settings: &MqttSettings,
        box_id: &str,
        inventory: &Inventory,
        cluster: Option<ClusterLink>,
    ) -> Result<Self, MqttSetupError> {
        let prefix = &settings.topic_prefix;
        let available = topics::available(prefix, box_id);
        let topics = SinkTopics {
            prefix: prefix.clone(),
            box_id: box_id.to_owned(),
            available: available.clone(),
            commands: CommandTopics::new(settings, box_id),
            discovery: Discovery::new(&settings.home_assistant, box_id, &inventory.cameras),
            clean_up: CleanUp::new(prefix, box_id, inventory),
            owners: cluster.map(|cluster| Owners::new(prefix, cluster)),
        };
        let options = ClientOptions::new(settings, box_id, available)?;
        Ok(Self { options, topics, detections_expire: settings.detections_expire_seconds })
    }

    /// Publishes, events too, until `stop` turns true; then sends what is queued and disconnects.
    pub(in crate::publish) async fn run(
        self,
        inputs: SinkInputs,
        events: SinkEnd,
        counters: Arc<PublishCounters>,
        troubles: Arc<SinkTroubles>,
    ) {
        let Self { options, topics, detections_expire } = self;
        let requests = Requests::new(options.identity(), Arc::clone(&counters), Arc::clone(&troubles));
        let connection = connection::start(options, Arc::clone(&counters), troubles);
        let SinkInputs { detections, states, inventory, commands, stop } = inputs;
        let events = EventStream::new(events, &topics.prefix, &topics.box_id);
        let sender = Sender::new(topics, detections_expire, counters, events, requests);
        sender.run(connection, Inputs { detections, states, inventory, commands, stop }).await;
    }
}
