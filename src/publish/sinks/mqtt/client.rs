//! The MQTT client in both versions of the protocol: one connection, made once and never again.

use crate::publish::sinks::mqtt::event_loop::EventLoop;
use crate::publish::sinks::mqtt::failure::AbruptEnd;
use crate::publish::sinks::mqtt::receipt::Receipt;
use crate::publish::sinks::mqtt::settings::{MqttSettings, ProtocolVersion};
use crate::publish::sinks::mqtt::setup_error::MqttSetupError;
use crate::publish::sinks::mqtt::transport::TlsTransport;
use crate::secret::Secret;
use rumqttc_v4 as v4;
use rumqttc_v5 as v5;
use v5::PublishProperties;

/// Capacity of the client's own queue. Ours are in front of it.
const CLIENT_QUEUE: usize = 256;

/// The longest packet either way; the client's own limit of 10 kB would end the connection. A snapshot is the longest.
const MAX_PACKET_BYTES: u32 = 2 * 1024 * 1024;

/// The most packets that the client reads before we take the first of them: it would hold 128, which are 256 MiB of the longest.
const READ_BATCH: usize = 4;

/// Everything that is needed to make a connection.
pub(super) struct ClientOptions {
    settings: MqttSettings,
    client_id: String,
    /// Topic of the availability, which the will sets to `offline`; empty: no will.
    available: String,
    login: Option<(String, Option<Secret>)>,
    tls: Option<TlsTransport>,
}

/// The publishing half of a connection.
#[derive(Clone)]
pub(super) enum Client {
    V5(v5::AsyncClient),
    V311(v4::AsyncClient),
}

/// A message to publish.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    /// QoS 1, else 0.
    pub(super) is_acknowledged: bool,
    pub(super) is_retained: bool,
    /// Expiry interval in seconds. MQTT 5 only.
    pub(super) expires: Option<u32>,
    /// Correlation data of the command that this replies to. MQTT 5 only.
    pub(super) correlation: Option<Vec<u8>>,
}

impl ClientOptions {
    /// Reads password, certificates and key.
    pub(super) fn new(settings: &MqttSettings, box_id: &str, available: String) -> Result<Self, MqttSetupError> {
        let client_id = if settings.client_id.is_empty() { box_id } else { &settings.client_id };
        let password = settings.credentials.resolve_password()?;
        let tls = match settings.tls.enabled {
            true => Some(TlsTransport::new(&settings.tls, &settings.host, settings.port)?),
            false => None,
        };
        Ok(Self {
            client_id: client_id.to_owned(),
            available,
            login: settings.credentials.user.clone().map(|user| (user, password)),
            tls,
            settings: settings.clone(),
        })
    }

    /// For a single connection beside that of a daemon: with a client id of its own, and without a will, which would say
    /// that the box is offline.
    pub(super) fn for_trial(settings: &MqttSettings, box_id: &str) -> Result<Self, MqttSetupError> {
        let options = Self::new(settings, box_id, String::new())?;
        Ok(Self { client_id: format!("{}-check", options.client_id), ..options })
    }

    /// For the log.
    pub(super) fn broker(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    /// The client id that the broker knows this box by.
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// How the broker's access list names this box.
    pub(super) fn identity(&self) -> String {
        match &self.login {
            Some((user, _)) => format!("user `{user}`"),
            None => format!("client id `{}`", self.client_id),
        }
    }

    /// The likely mistake in `[mqtt]` when a broker closes the connection before its first packet, and its fix.
    pub(super) fn mistake_behind(&self, end: AbruptEnd) -> String {
        match &self.tls {
            Some(tls) => tls.mistake_behind(end),
            None => format!(
                "it closes the connection before its first packet: if port {} expects TLS, set mqtt.tls.enabled",
                self.settings.port
            ),
        }
    }

    /// A new client, which connects when it is polled. Its session is clean: our own outbox resends what was not
    /// acknowledged, and nothing that an earlier client held can block this one.
    pub(super) fn client(&self) -> (Client, EventLoop) {
        let settings = &self.settings;
        let broker = (settings.host.clone(), settings.port);
        let password =
            |secret: &Option<Secret>| secret.as_ref().map_or_else(String::new, |one| one.reveal().to_owned());
        match settings.protocol {
            ProtocolVersion::V5 => {
                let mut options = v5::MqttOptions::new(&self.client_id, broker);
                options.set_keep_alive(settings.keep_alive_seconds).set_session_mode(v5::SessionMode::Clean);
                options.set_max_packet_size(Some(MAX_PACKET_BYTES)).set_read_batch_size(READ_BATCH);
                let qos = v5::QoS::AtLeastOnce;
                if !self.available.is_empty() {
                    options.set_last_will(v5::LastWill::new(&self.available, "offline", qos, true, None));
                }
                if let Some((user, secret)) = &self.login {
                    options.set_credentials(user, password(secret));
                }
                if let Some(tls) = self.tls.clone() {
                    options.set_socket_connector(move |_, _| tls.clone().connect());
                }
                let (client, event_loop) = v5::AsyncClient::builder(options).capacity(CLIENT_QUEUE).build();
                (Client::V5(client), EventLoop::V5(Box::new(event_loop)))
            }
            ProtocolVersion::V311 => {
                let mut options = v4::MqttOptions::new(&self.client_id, broker);
                options.set_keep_alive(settings.keep_alive_seconds).set_session_mode(v4::SessionMode::Clean);
                options.set_max_packet_size(MAX_PACKET_BYTES as usize, MAX_PACKET_BYTES as usize);
                options.set_read_batch_size(READ_BATCH);
                if !self.available.is_empty() {
                    let qos = v4::QoS::AtLeastOnce;
                    options.set_last_will(v4::LastWill::new(&self.available, "offline", qos, true));
                }
                if let Some((user, secret)) = &self.login {
                    options.set_credentials(user, password(secret));
                }
                if let Some(tls) = self.tls.clone() {
                    options.set_socket_connector(move |_, _| tls.clone().connect());
                }
                let (client, event_loop) = v4::AsyncClient::builder(options).capacity(CLIENT_QUEUE).build();
                (Client::V311(client), EventLoop::V311(Box::new(event_loop)))
            }
        }
    }
}

impl Client {
    /// Queues a message; false when the client's queue is full.
    pub(super) fn try_publish(&self, message: Message) -> bool {
        match self {
            Self::V5(client) => {
                client.try_publish(message.topic.clone(), message.payload.clone(), v5_options(&message)).is_ok()
            }
            Self::V311(client) => {
                let options = v4_options(&message);
                client.try_publish(message.topic, message.payload, options).is_ok()
            }
        }
    }

    /// Queues a message and returns its pending acknowledgement; `None` when the client's queue is full.
    pub(super) fn try_publish_tracked(&self, message: Message) -> Option<Receipt> {
        match self {
            Self::V5(client) => {
                let options = v5_options(&message);
                client.try_publish_tracked(message.topic, message.payload, options).ok().map(Receipt::PublishV5)
            }
            Self::V311(client) => {
                let options = v4_options(&message);
                client.try_publish_tracked(message.topic, message.payload, options).ok().map(Receipt::PublishV311)
            }
        }
    }

    /// Subscribes with QoS 1 and returns the pending answer; `None` when the client's queue is full.
    pub(super) fn try_subscribe(&self, topic: &str) -> Option<Receipt> {
        match self {
            Self::V5(client) => {
                client.try_subscribe_tracked(topic, v5::QoS::AtLeastOnce).ok().map(Receipt::SubscribeV5)
            }
            Self::V311(client) => {
                client.try_subscribe_tracked(topic, v4::QoS::AtLeastOnce).ok().map(Receipt::SubscribeV311)
            }
        }
    }

    /// Unsubscribes; false when the client's queue is full.
    pub(super) fn try_unsubscribe(&self, topic: &str) -> bool {
        match self {
            Self::V5(client) => client.try_unsubscribe(topic).is_ok(),
            Self::V311(client) => client.try_unsubscribe(topic).is_ok(),
        }
    }

    /// Disconnects after everything that is queued; false when the client's queue is full.
    pub(super) fn try_disconnect(&self) -> bool {
        match self {
            Self::V5(client) => client.try_disconnect().is_ok(),
            Self::V311(client) => client.try_disconnect().is_ok(),
        }
    }
}

fn v5_options(message: &Message) -> v5::PublishOptions {
    let qos = if message.is_acknowledged { v5::QoS::AtLeastOnce } else { v5::QoS::AtMostOnce };
    let properties = PublishProperties {
        message_expiry_interval: message.expires,
        correlation_data: message.correlation.clone().map(Into::into),
        ..PublishProperties::default()
    };
    v5::PublishOptions::new(qos).retain(message.is_retained).properties(properties)
}

fn v4_options(message: &Message) -> v4::PublishOptions {
    let qos = if message.is_acknowledged { v4::QoS::AtLeastOnce } else { v4::QoS::AtMostOnce };
    v4::PublishOptions::new(qos).retain(message.is_retained)
}
