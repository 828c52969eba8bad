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

/// The most of a received message that is kept: thousands of them may wait ([`super::connection`]), and a packet may have two
/// megabytes.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;
/// Of its topic, of that of the reply, and of what the reply repeats.
const MAX_TOPIC_BYTES: usize = 2 * 1024;

impl Happened {
    fn incoming(topic: &[u8], is_retained: bool, payload: &[u8], reply_to: ReplyTo) -> Self {
        if topic.len() > MAX_TOPIC_BYTES {
            return Self::Other;
        }
        let topic = String::from_utf8_lossy(topic).into_owned();
        // Of a long one the topic alone is of use, as of a picture of a camera that was removed; a command is refused.
        let payload = payload[..payload.len().min(MAX_PAYLOAD_BYTES)].to_vec();
        let is_short = reply_to.topic.as_ref().is_none_or(|topic| topic.len() <= MAX_TOPIC_BYTES)
            && reply_to.correlation.as_ref().is_none_or(|data| data.len() <= MAX_TOPIC_BYTES);
        let reply_to = if is_short { reply_to } else { ReplyTo::default() };
        Self::Incoming(Incoming { topic, is_retained, payload, reply_to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that wait of a message, and whether a reply goes where it was asked for.
    fn kept(topic: usize, payload: usize, reply: usize) -> Option<(usize, bool)> {
        let reply_to = ReplyTo { topic: Some("r".repeat(reply)), correlation: Some(vec![0; reply]) };
        match Happened::incoming("t".repeat(topic).as_bytes(), false, &vec![0; payload], reply_to) {
            Happened::Incoming(message) => Some((message.payload.len(), message.reply_to.topic.is_some())),
            _ => None,
        }
    }

    #[test]
    fn of_a_long_message_little_waits() {
        assert_eq!(kept(30, 1000, 40), Some((1000, true)));
        assert_eq!(kept(30, 2_000_000, 40), Some((16 * 1024, true)));
        assert_eq!(kept(30, 1000, 60_000), Some((1000, false)));
        assert_eq!(kept(60_000, 1000, 40), None);
    }
}
