//! The connection to the broker in both versions of MQTT, made again for ever.

use crate::publish::commands::{IncomingCommand, ReplyTo};
use crate::publish::publisher::PublishCounters;
use crate::publish::sinks::mqtt::MqttSetupError;
use crate::publish::sinks::mqtt::settings::{MqttSettings, ProtocolVersion};
use crate::publish::sinks::mqtt::tls;
use crate::vision::reconnect_ladder::seconds_before_try;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::{QoS, TlsConfiguration, Transport, v5};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Messages inside rumqttc; ours wait in front of it.
const CLIENT_QUEUE: usize = 64;

/// The longest packet either way; rumqttc's own limit of 10 kB would end the connection.
const MAX_PACKET_BYTES: u32 = 1024 * 1024;

/// ±20 %: a site's boxes do not all come back in the second in which their broker does.
fn jitter(time: Duration) -> Duration {
    let random = RandomState::new().hash_one(time);
    time.mul_f64(0.8 + (random % 401) as f64 / 1000.0)
}

/// A broker that refuses us is tried rarely: the credentials will not change by themselves.
const REFUSED_SECONDS: u64 = 60;

/// The client's side, for publishing.
#[derive(Clone)]
pub(super) enum Link {
    V5(v5::AsyncClient),
    V311(rumqttc::AsyncClient),
}

enum EventLoop {
    V5(Box<v5::EventLoop>),
    V311(Box<rumqttc::EventLoop>),
}

/// What matters of all that rumqttc reports.
enum Happened {
    Connected,
    Published,
    Disconnected,
    Command(IncomingCommand),
    Other,
}

impl Happened {
    /// Only commands are subscribed to. A retained one would be carried out again with each connection.
    fn command(topic: &str, is_retained: bool, payload: Vec<u8>, reply_to: ReplyTo) -> Self {
        if is_retained {
            tracing::warn!(topic, "a retained command is not carried out: publish commands without retain");
            return Self::Other;
        }
        let name = topic.rsplit('/').next().unwrap_or_default().to_owned();
        Self::Command(IncomingCommand { name, payload, reply_to })
    }
}

/// Why a connection failed.
struct Failure {
    refused: bool,
    reason: String,
}

/// A connection before it is made.
pub(super) struct Connection {
    link: Link,
    event_loop: EventLoop,
    broker: String,
}

impl Connection {
    pub(super) fn new(settings: &MqttSettings, box_id: &str, available: &str) -> Result<Self, MqttSetupError> {
        let client_id = if settings.client_id.is_empty() { box_id } else { &settings.client_id };
        let keep_alive = Duration::from_secs(u64::from(settings.keep_alive_seconds));
        let password = settings.credentials.resolve_password()?;
        let login = settings.credentials.user.clone().map(|user| {
            let password = password.as_ref().map(|password| password.reveal().to_owned());
            (user, password.unwrap_or_default())
        });
        let transport = match settings.tls.enabled {
            true => Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls::client_config(&settings.tls)?))),
            false => Transport::tcp(),
        };
        let (link, event_loop) = match settings.protocol {
            ProtocolVersion::V5 => {
                let mut options = v5::MqttOptions::new(client_id, &settings.host, settings.port);
                options.set_keep_alive(keep_alive).set_transport(transport).set_clean_start(true);
                options.set_max_packet_size(Some(MAX_PACKET_BYTES));
                let will =
                    v5::mqttbytes::v5::LastWill::new(available, "offline", v5::mqttbytes::QoS::AtLeastOnce, true, None);
                options.set_last_will(will);
                if let Some((user, password)) = login {
                    options.set_credentials(user, password);
                }
                let (client, event_loop) = v5::AsyncClient::new(options, CLIENT_QUEUE);
                (Link::V5(client), EventLoop::V5(Box::new(event_loop)))
            }
            ProtocolVersion::V311 => {
                let mut options = rumqttc::MqttOptions::new(client_id, &settings.host, settings.port);
                options.set_keep_alive(keep_alive).set_transport(transport).set_clean_session(true);
                options.set_max_packet_size(MAX_PACKET_BYTES as usize, MAX_PACKET_BYTES as usize);
                options.set_last_will(rumqttc::LastWill::new(available, "offline", QoS::AtLeastOnce, true));
                if let Some((user, password)) = login {
                    options.set_credentials(user, password);
                }
                let (client, event_loop) = rumqttc::AsyncClient::new(options, CLIENT_QUEUE);
                (Link::V311(client), EventLoop::V311(Box::new(event_loop)))
            }
        };
        Ok(Self { link, event_loop, broker: format!("{}:{}", settings.host, settings.port) })
    }

    /// Starts connecting. The watch counts connections: it changes with each new one, and to 0 with each loss.
    /// The task ends after a disconnect that was asked for.
    pub(super) fn start(
        self,
        counters: Arc<PublishCounters>,
        commands: mpsc::Sender<IncomingCommand>,
    ) -> (Link, watch::Receiver<u64>, JoinHandle<()>) {
        let (connected, watcher) = watch::channel(0);
        let task = tokio::spawn(keep_connected(self.event_loop, self.broker, connected, counters, commands));
        (self.link, watcher, task)
    }
}

async fn keep_connected(
    mut event_loop: EventLoop,
    broker: String,
    connected: watch::Sender<u64>,
    counters: Arc<PublishCounters>,
    commands: mpsc::Sender<IncomingCommand>,
) {
    let (mut connections, mut failures, mut last_reason) = (0_u64, 0_u32, None);
    let mut is_leaving = false;
    loop {
        match event_loop.poll().await {
            Ok(Happened::Connected) => {
                tracing::info!(broker, "the broker is connected");
                connections += 1;
                (failures, last_reason) = (0, None);
                counters.connected.store(true, Ordering::Relaxed);
                connected.send_replace(connections);
            }
            Ok(Happened::Published) => drop(counters.published.fetch_add(1, Ordering::Relaxed)),
            // It has been queued; the next polls write it, and then the connection ends.
            Ok(Happened::Disconnected) => is_leaving = true,
            Ok(Happened::Command(command)) => {
                if let Err(error) = commands.try_send(command) {
                    tracing::warn!(%error, "a command is dropped");
                }
            }
            Ok(Happened::Other) => {}
            Err(Failure { refused, reason }) => {
                counters.connected.store(false, Ordering::Relaxed);
                connected.send_replace(0);
                if is_leaving {
                    return;
                }
                let seconds = if refused { REFUSED_SECONDS } else { seconds_before_try(failures) };
                failures = failures.saturating_add(1);
                // Each new reason once: a broker that is away for a week is one line.
                if last_reason.as_ref() != Some(&reason) {
                    tracing::warn!(broker, reason, "the broker is not connected; it is tried again for ever");
                    last_reason = Some(reason);
                }
                tokio::time::sleep(jitter(Duration::from_secs(seconds))).await;
            }
        }
    }
}

impl EventLoop {
    async fn poll(&mut self) -> Result<Happened, Failure> {
        match self {
            Self::V5(event_loop) => match event_loop.poll().await {
                Ok(v5::Event::Incoming(v5::Incoming::ConnAck(_))) => Ok(Happened::Connected),
                Ok(v5::Event::Outgoing(rumqttc::Outgoing::Publish(_))) => Ok(Happened::Published),
                Ok(v5::Event::Outgoing(rumqttc::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(v5::Event::Incoming(v5::Incoming::Publish(publish))) => {
                    let properties = publish.properties.unwrap_or_default();
                    let correlation = properties.correlation_data.map(|data| data.to_vec());
                    let reply_to = ReplyTo { topic: properties.response_topic, correlation };
                    let topic = String::from_utf8_lossy(&publish.topic);
                    Ok(Happened::command(&topic, publish.retain, publish.payload.to_vec(), reply_to))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(Failure {
                    refused: matches!(error, v5::ConnectionError::ConnectionRefused(_)),
                    reason: error.to_string(),
                }),
            },
            Self::V311(event_loop) => match event_loop.poll().await {
                Ok(rumqttc::Event::Incoming(rumqttc::Incoming::ConnAck(_))) => Ok(Happened::Connected),
                Ok(rumqttc::Event::Outgoing(rumqttc::Outgoing::Publish(_))) => Ok(Happened::Published),
                Ok(rumqttc::Event::Outgoing(rumqttc::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(rumqttc::Event::Incoming(rumqttc::Incoming::Publish(publish))) => {
                    let payload = publish.payload.to_vec();
                    Ok(Happened::command(&publish.topic, publish.retain, payload, ReplyTo::default()))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(Failure {
                    refused: matches!(error, rumqttc::ConnectionError::ConnectionRefused(_)),
                    reason: error.to_string(),
                }),
            },
        }
    }
}

impl Link {
    /// Hands a message to the client; false when it has no room.
    pub(super) fn try_publish(&self, topic: &str, qos: QoS, retain: bool, payload: Vec<u8>) -> bool {
        match self {
            Self::V5(client) => {
                let qos = match qos {
                    QoS::AtMostOnce => v5::mqttbytes::QoS::AtMostOnce,
                    QoS::AtLeastOnce => v5::mqttbytes::QoS::AtLeastOnce,
                    QoS::ExactlyOnce => v5::mqttbytes::QoS::ExactlyOnce,
                };
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
            Self::V311(client) => client.try_publish(topic, qos, retain, payload).is_ok(),
        }
    }

    /// Subscribes at QoS 1; false when the client has no room.
    pub(super) fn try_subscribe(&self, topic: &str) -> bool {
        match self {
            Self::V5(client) => client.try_subscribe(topic, v5::mqttbytes::QoS::AtLeastOnce).is_ok(),
            Self::V311(client) => client.try_subscribe(topic, QoS::AtLeastOnce).is_ok(),
        }
    }

    /// Answers a command; false when the client has no room. MQTT 3.1.1 has no correlation.
    pub(super) fn try_reply(&self, topic: &str, payload: Vec<u8>, correlation: Option<Vec<u8>>) -> bool {
        match self {
            Self::V5(client) => {
                let correlation_data = correlation.map(Into::into);
                let properties = PublishProperties { correlation_data, ..PublishProperties::default() };
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                client.try_publish_with_properties(topic, qos, false, payload, properties).is_ok()
            }
            Self::V311(_) => self.try_publish(topic, QoS::AtLeastOnce, false, payload),
        }
    }

    /// Asks for a disconnect behind everything that was handed over; false when the client has no room.
    pub(super) fn try_disconnect(&self) -> bool {
        match self {
            Self::V5(client) => client.try_disconnect().is_ok(),
            Self::V311(client) => client.try_disconnect().is_ok(),
        }
    }
}
