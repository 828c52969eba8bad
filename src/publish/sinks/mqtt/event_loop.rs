//! Polls the client of either protocol version and reduces its events to those that matter here.

use crate::publish::commands::ReplyTo;
use crate::publish::sinks::mqtt::failure::Failure;
use crate::publish::sinks::mqtt::receipt::is_accepted;
use rumqttc_v4 as v4;
use rumqttc_v5 as v5;

/// The packet id of a message with QoS 0, which has none.
const UNACKNOWLEDGED: u16 = 0;

/// The polling half of a connection: the client sends and receives only while it is polled.
pub(super) enum EventLoop {
    V5(Box<v5::EventLoop>),
    V311(Box<v4::EventLoop>),
}

/// The client's events that matter here.
pub(super) enum Happened {
    /// Connected, with the broker's maximum packet size if it gave one (MQTT 5 only).
    Connected(Option<u32>),
    /// The broker has taken a message: with QoS 1 it has acknowledged it, with QoS 0 the message was written.
    Published,
    /// Our own disconnect is queued.
    Disconnected,
    Incoming(Incoming),
    Other,
}

/// A received message.
pub(super) struct Incoming {
    pub(super) topic: String,
    pub(super) is_retained: bool,
    pub(super) payload: Vec<u8>,
    pub(super) reply_to: ReplyTo,
}

impl EventLoop {
    pub(super) async fn poll(&mut self) -> Result<Happened, Failure> {
        match self {
            Self::V5(event_loop) => match event_loop.poll().await {
                Ok(v5::Event::Incoming(v5::Incoming::ConnAck(ack))) => {
                    Ok(Happened::Connected(ack.properties.and_then(|properties| properties.max_packet_size)))
                }
                Ok(v5::Event::Outgoing(v5::Outgoing::Publish(UNACKNOWLEDGED))) => Ok(Happened::Published),
                Ok(v5::Event::Incoming(v5::Incoming::PubAck(ack))) if is_accepted(ack.reason) => {
                    Ok(Happened::Published)
                }
                Ok(v5::Event::Outgoing(v5::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(v5::Event::Incoming(v5::Incoming::Publish(publish))) => {
                    let properties = publish.properties.unwrap_or_default();
                    let correlation = properties.correlation_data.map(|data| data.to_vec());
                    let reply_to = ReplyTo { topic: properties.response_topic, correlation };
                    Ok(Happened::incoming(&publish.topic, publish.retain, &publish.payload, reply_to))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(Failure::v5(&error)),
            },
            Self::V311(event_loop) => match event_loop.poll().await {
                Ok(v4::Event::Incoming(v4::Incoming::ConnAck(_))) => Ok(Happened::Connected(None)),
                Ok(
                    v4::Event::Outgoing(v4::Outgoing::Publish(UNACKNOWLEDGED))
                    | v4::Event::Incoming(v4::Incoming::PubAck(_)),
                ) => Ok(Happened::Published),
                Ok(v4::Event::Outgoing(v4::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(v4::Event::Incoming(v4::Incoming::Publish(publish))) => {
                    Ok(Happened::incoming(&publish.topic, publish.retain, &publish.payload, ReplyTo::default()))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(Failure::v311(&error)),
            },
        }
    }
}

impl Happened {
    fn incoming(topic: &[u8], is_retained: bool, payload: &[u8], reply_to: ReplyTo) -> Self {
        let topic = String::from_utf8_lossy(topic).into_owned();
        Self::Incoming(Incoming { topic, is_retained, payload: payload.to_vec(), reply_to })
    }
}
