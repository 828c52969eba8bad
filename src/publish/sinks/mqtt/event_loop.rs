//! What a client's connection reports, in both versions of the protocol.

use crate::publish::commands::ReplyTo;
use rumqttc_v4 as v4;
use rumqttc_v5 as v5;
use v5::{ConnectReturnCode, DisconnectReasonCode};

/// Carries the client's messages, while it is polled.
pub(super) enum EventLoop {
    V5(Box<v5::EventLoop>),
    V311(Box<v4::EventLoop>),
}

/// What matters of all that the client reports.
pub(super) enum Happened {
    /// With the longest packet that the broker takes, if it says so; only MQTT 5 can.
    Connected(Option<u32>),
    Published,
    /// Our own goodbye is written.
    Disconnected,
    Incoming(Incoming),
    Other,
}

/// A message for us.
pub(super) struct Incoming {
    pub(super) topic: String,
    pub(super) is_retained: bool,
    pub(super) payload: Vec<u8>,
    pub(super) reply_to: ReplyTo,
}

/// Why a connection failed.
pub(super) struct Failure {
    /// The same will happen again soon: it is tried rarely.
    pub(super) is_refusal: bool,
    pub(super) reason: String,
}

impl EventLoop {
    pub(super) async fn poll(&mut self) -> Result<Happened, Failure> {
        match self {
            Self::V5(event_loop) => match event_loop.poll().await {
                Ok(v5::Event::Incoming(v5::Incoming::ConnAck(ack))) => {
                    Ok(Happened::Connected(ack.properties.and_then(|properties| properties.max_packet_size)))
                }
                Ok(v5::Event::Outgoing(v5::Outgoing::Publish(_))) => Ok(Happened::Published),
                Ok(v5::Event::Outgoing(v5::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(v5::Event::Incoming(v5::Incoming::Publish(publish))) => {
                    let properties = publish.properties.unwrap_or_default();
                    let correlation = properties.correlation_data.map(|data| data.to_vec());
                    let reply_to = ReplyTo { topic: properties.response_topic, correlation };
                    Ok(Happened::incoming(&publish.topic, publish.retain, &publish.payload, reply_to))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(v5_failure(&error)),
            },
            Self::V311(event_loop) => match event_loop.poll().await {
                Ok(v4::Event::Incoming(v4::Incoming::ConnAck(_))) => Ok(Happened::Connected(None)),
                Ok(v4::Event::Outgoing(v4::Outgoing::Publish(_))) => Ok(Happened::Published),
                Ok(v4::Event::Outgoing(v4::Outgoing::Disconnect)) => Ok(Happened::Disconnected),
                Ok(v4::Event::Incoming(v4::Incoming::Publish(publish))) => {
                    Ok(Happened::incoming(&publish.topic, publish.retain, &publish.payload, ReplyTo::default()))
                }
                Ok(_) => Ok(Happened::Other),
                Err(error) => Err(Failure {
                    is_refusal: matches!(error, v4::ConnectionError::ConnectionRefused(_)),
                    reason: error.to_string(),
                }),
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

/// What a broker says with its reason codes, MQTT 5, sections 3.2.2.2 and 3.14.2.1: a busy one is tried again soon,
/// one that will not have us rarely.
fn v5_failure(error: &v5::ConnectionError) -> Failure {
    use v5::ConnectionError::{ConnectionRefused, MqttState};
    let reason = error.to_string();
    let is_refusal = match error {
        ConnectionRefused(code) | MqttState(v5::StateError::ConnFail { reason: code }) => !matches!(
            code,
            ConnectReturnCode::ServerUnavailable
                | ConnectReturnCode::ServerBusy
                | ConnectReturnCode::ServiceUnavailable
        ),
        MqttState(v5::StateError::ServerDisconnect { reason_code, .. }) => {
            if *reason_code == DisconnectReasonCode::SessionTakenOver {
                let reason = "another client has connected with this box's client id: set mqtt.client_id".to_owned();
                return Failure { is_refusal: true, reason };
            }
            matches!(
                reason_code,
                DisconnectReasonCode::NotAuthorized
                    | DisconnectReasonCode::AdministrativeAction
                    | DisconnectReasonCode::QuotaExceeded
                    | DisconnectReasonCode::MessageRateTooHigh
            )
        }
        _ => false,
    };
    Failure { is_refusal, reason }
}
