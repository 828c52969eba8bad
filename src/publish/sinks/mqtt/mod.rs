//! MQTT. The client is trusted with nothing: it may lose what it accepted, and it is made anew with each connection.
//! So events stay in the outbox until the broker has acknowledged them, states are published again after every
//! connection, and nothing here waits for the client.

mod ack_watch;
mod client;
mod connection;
mod discovery;
mod event_loop;
mod event_stream;
mod failure;
mod removed_cameras;
mod sender;
pub mod settings;
mod setup_error;
pub mod topics;
mod transport;

use crate::publish::commands::CommandPort;
use crate::publish::outbox::SinkEnd;
use crate::publish::outgoing::{Outgoing, PublishCounters, States};
use crate::publish::sinks::mqtt::client::ClientOptions;
use crate::publish::sinks::mqtt::discovery::Discovery;
use crate::publish::sinks::mqtt::event_stream::EventStream;
use crate::publish::sinks::mqtt::removed_cameras::RemovedCameras;
use crate::publish::sinks::mqtt::sender::{Sender, SinkTopics};
use crate::publish::sinks::mqtt::settings::MqttSettings;
pub use crate::publish::sinks::mqtt::setup_error::MqttSetupError;
use crate::vision::camera_id::CameraId;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The sink before it runs.
pub struct MqttSink {
    options: ClientOptions,
    topics: SinkTopics,
    /// Seconds after which a frame's detections are of no use.
    detections_expire: u32,
    counters: Arc<PublishCounters>,
}

/// What the sink is fed with.
pub(in crate::publish) struct SinkInputs {
    pub(in crate::publish) detections: mpsc::Receiver<Outgoing>,
    pub(in crate::publish) states: watch::Receiver<States>,
    pub(in crate::publish) commands: CommandPort,
    pub(in crate::publish) events: SinkEnd,
    pub(in crate::publish) stop: watch::Receiver<bool>,
}

impl std::fmt::Debug for MqttSink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MqttSink").field("broker", &self.options.broker()).finish_non_exhaustive()
    }
}

impl MqttSink {
    /// Reads certificates and password; connects later.
    ///
    /// # Errors
    /// [`MqttSetupError`] naming the file.
    pub fn new(
        settings: &MqttSettings,
        box_id: &str,
        cameras: &[CameraId],
        counters: Arc<PublishCounters>,
    ) -> Result<Self, MqttSetupError> {
        let prefix = &settings.topic_prefix;
        let available = topics::available(prefix, box_id);
        let topics = SinkTopics {
            prefix: prefix.clone(),
            box_id: box_id.to_owned(),
            available: available.clone(),
            commands: settings.commands.then(|| topics::commands(prefix, box_id)),
            reply: topics::reply(prefix, box_id),
            discovery: Discovery::new(&settings.home_assistant, box_id, cameras),
            removed_cameras: RemovedCameras::new(prefix, box_id, cameras),
        };
        let options = ClientOptions::new(settings, box_id, available)?;
        Ok(Self { options, topics, detections_expire: settings.detections_expire_seconds, counters })
    }

    /// Publishes until `stop` turns true; then sends what waits and says goodbye.
    pub(in crate::publish) async fn run(self, inputs: SinkInputs) {
        let Self { options, topics, detections_expire, counters } = self;
        let connection = connection::start(options, Arc::clone(&counters));
        let SinkInputs { detections, states, commands, events, stop } = inputs;
        let events = EventStream::new(events, &topics.prefix, &topics.box_id);
        let sender = Sender::new(topics, detections_expire, counters, events);
        sender.run(connection, detections, states, commands, stop).await;
    }
}
