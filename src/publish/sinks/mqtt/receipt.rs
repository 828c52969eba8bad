//! What the broker answers to a message with QoS 1 or to a subscription, in both versions of the protocol.

use rumqttc_v4 as v4;
use rumqttc_v5 as v5;
use v5::{PubAckReason, PublishResult};

/// The pending answer to a message with QoS 1, or to a subscription.
pub(super) enum Receipt {
    PublishV5(v5::PublishNotice),
    PublishV311(v4::PublishNotice),
    SubscribeV5(v5::SubscribeNotice),
    SubscribeV311(v4::SubscribeNotice),
}

/// The broker's answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Acknowledgement {
    Accepted,
    /// The broker refuses it for now; a retry may succeed. With the name of its reason code.
    RefusedForNow(String),
    /// The broker will never accept it.
    RefusedForEver(String),
    /// The connection ended before the answer.
    Lost,
}

impl Receipt {
    /// Waits for the answer.
    pub(super) async fn known(self) -> Acknowledgement {
        match self {
            Self::PublishV5(notice) => match notice.wait_async().await {
                Ok(PublishResult::Qos1(ack)) => judged(ack.reason),
                Ok(_) => Acknowledgement::Accepted,
                Err(v5::PublishNoticeError::V5PubAck(reason)) => judged(reason),
                Err(_) => Acknowledgement::Lost,
            },
            // 3.1.1 has no reasons: a broker that forbids a topic acknowledges all the same.
            Self::PublishV311(notice) => match notice.wait_async().await {
                Ok(_) => Acknowledgement::Accepted,
                Err(_) => Acknowledgement::Lost,
            },
            Self::SubscribeV5(notice) => match notice.wait_completion_async().await {
                Ok(()) => Acknowledgement::Accepted,
                Err(v5::SubscribeNoticeError::V5SubAckFailure(codes)) => refused_subscription(codes.first()),
                Err(_) => Acknowledgement::Lost,
            },
            Self::SubscribeV311(notice) => match notice.wait_completion_async().await {
                Ok(()) => Acknowledgement::Accepted,
                Err(v4::SubscribeNoticeError::V4SubAckFailure(codes)) => refused_subscription(codes.first()),
                Err(_) => Acknowledgement::Lost,
            },
        }
    }
}

/// Each subscription here has one topic, so the broker answers with one code.
fn refused_subscription(code: Option<&impl std::fmt::Debug>) -> Acknowledgement {
    Acknowledgement::RefusedForNow(code.map_or_else(|| "no reason".to_owned(), |code| format!("{code:?}")))
}

/// True if the broker has taken the message.
pub(super) fn is_accepted(reason: PubAckReason) -> bool {
    matches!(reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers)
}

/// Which reason codes allow a retry: MQTT 5, section 3.4.2.1.
fn judged(reason: PubAckReason) -> Acknowledgement {
    match reason {
        _ if is_accepted(reason) => Acknowledgement::Accepted,
        PubAckReason::TopicNameInvalid | PubAckReason::PayloadFormatInvalid => {
            Acknowledgement::RefusedForEver(format!("{reason:?}"))
        }
        _ => Acknowledgement::RefusedForNow(format!("{reason:?}")),
    }
}
