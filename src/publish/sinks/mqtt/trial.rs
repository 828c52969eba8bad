//! Tries the broker once, for `ocelli check`: connection, login and the right to publish.
//!
//! It has a client id of its own and no will, so that it neither ends the session of a running daemon nor says that the
//! box is offline.

use crate::publish::sinks::mqtt::client::{ClientOptions, Message};
use crate::publish::sinks::mqtt::event_loop::{EventLoop, Happened};
use crate::publish::sinks::mqtt::failure::Failure;
use crate::publish::sinks::mqtt::receipt::Acknowledgement;
use crate::publish::sinks::mqtt::settings::MqttSettings;
use crate::publish::sinks::mqtt::setup_error::MqttSetupError;
use crate::publish::sinks::mqtt::topics;
use std::time::Duration;
use tokio::time::timeout;

/// Limits for connecting and for publishing; the client's own limit for connecting is shorter.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const PUBLISH_LIMIT: Duration = Duration::from_secs(5);
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Why the broker cannot be used. The texts name the cure, if there is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerTrouble {
    /// A certificate, key or password cannot be used.
    #[error(transparent)]
    Setup(#[from] MqttSetupError),
    /// There is no connection, or it has ended.
    #[error("{0}")]
    Connection(String),
    /// The broker refuses this client.
    #[error("{0}")]
    Refused(String),
    /// The broker does not answer in MQTT.
    #[error("it does not answer in MQTT within 10 s: is that its port for MQTT?")]
    Silent,
    /// The broker refuses a message.
    #[error("it accepts the login, but refuses what is published to `{topic}`: {reason}")]
    Forbidden {
        /// The topic of the message.
        topic: String,
        /// The broker's reason.
        reason: String,
    },
    /// The broker acknowledges nothing.
    #[error("it accepts the login, but does not acknowledge what is published to `{0}`")]
    NoAcknowledgement(String),
}

/// Reads password, certificates and key as a connection would.
///
/// # Errors
/// [`MqttSetupError`] naming the file.
pub(crate) fn check_setup(settings: &MqttSettings, box_id: &str) -> Result<(), MqttSetupError> {
    ClientOptions::for_trial(settings, box_id).map(drop)
}

/// Connects, publishes a message with QoS 1 that is not retained, and disconnects. Returns its topic.
///
/// # Errors
/// [`BrokerTrouble`], as soon as it is known.
pub(crate) async fn try_broker(settings: &MqttSettings, box_id: &str) -> Result<String, BrokerTrouble> {
    let options = ClientOptions::for_trial(settings, box_id)?;
    let (client, mut event_loop) = options.client();
    match timeout(CONNECT_LIMIT, connected(&mut event_loop)).await {
        Err(_) => return Err(BrokerTrouble::Silent),
        Ok(Err(failure)) => {
            let reason = failure.abrupt.map_or(failure.reason, |end| options.mistake_behind(end));
            return Err(if failure.is_refusal {
                BrokerTrouble::Refused(reason)
            } else {
                BrokerTrouble::Connection(reason)
            });
        }
        Ok(Ok(())) => {}
    }
    let topic = topics::check(&settings.topic_prefix, box_id);
    let payload = b"ocelli check".to_vec();
    let message = Message {
        topic: topic.clone(),
        payload,
        is_acknowledged: true,
        is_retained: false,
        expires: None,
        correlation: None,
    };
    let receipt = client.try_publish_tracked(message).ok_or_else(|| BrokerTrouble::NoAcknowledgement(topic.clone()))?;
    let acknowledged = async {
        let known = receipt.known();
        tokio::pin!(known);
        loop {
            tokio::select! {
                acknowledgement = &mut known => return acknowledgement,
                // The client only sends and receives while it is polled.
                happened = event_loop.poll() => if happened.is_err() {
                    return Acknowledgement::Lost;
                },
            }
        }
    };
    let result = match timeout(PUBLISH_LIMIT, acknowledged).await {
        Ok(Acknowledgement::Accepted) => Ok(topic),
        Ok(Acknowledgement::RefusedForNow(reason) | Acknowledgement::RefusedForEver(reason)) => {
            Err(BrokerTrouble::Forbidden { topic, reason })
        }
        Ok(Acknowledgement::Lost) => {
            Err(BrokerTrouble::Forbidden { topic, reason: "it ends the connection".to_owned() })
        }
        Err(_) => Err(BrokerTrouble::NoAcknowledgement(topic)),
    };
    if client.try_disconnect() {
        // The broker has closed by then, or never will.
        drop(timeout(GOODBYE_LIMIT, async { while event_loop.poll().await.is_ok() {} }).await);
    }
    result
}

async fn connected(event_loop: &mut EventLoop) -> Result<(), Failure> {
    loop {
        if let Happened::Connected(_) = event_loop.poll().await? {
            return Ok(());
        }
    }
}
