//! The settings of `[mqtt]`.

use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::secret::Credentials;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The MQTT version.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
}

/// When a frame's detections are published.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishDetections {
    /// For each analysed frame, also an empty one. This distinguishes "nothing seen" from "not analysed".
    #[default]
    Always,
    /// Only for frames with detections.
    NotEmpty,
    /// Never.
    Off,
}

/// Which labels of a camera have a retained count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishLabelCounts {
    /// Each label of the camera's model or scene, at 0 before it is seen.
    #[default]
    All,
    /// Labels that the camera's scene lists or Home Assistant shows, and others once they are seen.
    Seen,
}

/// `[mqtt]`: the broker, and what is published there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttSettings {
    /// False: nothing is published over MQTT.
    pub enabled: bool,
    /// Name or address of the broker.
    pub host: String,
    /// 1883, or 8883 with TLS.
    pub port: u16,
    /// User name and password for the broker.
    pub credentials: Credentials,
    /// The MQTT version to use.
    pub protocol: ProtocolVersion,
    /// First part of every topic.
    pub topic_prefix: String,
    /// The client id; empty: the box's id.
    pub client_id: String,
    /// MQTT keep-alive interval in seconds.
    pub keep_alive_seconds: u16,
    /// When a frame's detections are published.
    pub detections: PublishDetections,
    /// Seconds after which a broker (MQTT 5) discards a frame's undelivered detections.
    pub detections_expire_seconds: u32,
    /// Capacity of the queue of detections. While it is full or the broker is away, new detections are dropped and
    /// counted.
    pub queue_messages: usize,
    /// Which labels of a camera have a retained count.
    pub label_counts: PublishLabelCounts,
    /// Accept commands. Every client that may publish to `<prefix>/<box>/command/#` can then stop models and switch off
    /// cameras.
    pub commands: bool,
    /// What the response topics of commands may begin with, beside the box's own `reply`. Other replies go to `reply`.
    pub reply_prefixes: Vec<String>,
    /// Home Assistant device discovery.
    pub home_assistant: HomeAssistantSettings,
    /// Encrypts the connection and checks the broker's certificate.
    pub tls: MqttTlsSettings,
}

/// `[mqtt.tls]`: encryption, and the certificates of both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttTlsSettings {
    /// Use TLS.
    pub enabled: bool,
    /// PEM file with the authorities that may have signed the broker's certificate. Needed with TLS.
    pub ca_file: Option<PathBuf>,
    /// PEM file with this box's certificate, if the broker asks for one.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with this box's private key.
    pub key_file: Option<PathBuf>,
}

impl Default for MqttSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "127.0.0.1".into(),
            port: 1883,
            credentials: Credentials::default(),
            protocol: ProtocolVersion::V5,
            topic_prefix: "ocelli".into(),
            client_id: String::new(),
            keep_alive_seconds: 10,
            detections: PublishDetections::Always,
            detections_expire_seconds: 30,
            queue_messages: 256,
            label_counts: PublishLabelCounts::All,
            commands: false,
            reply_prefixes: Vec::new(),
            home_assistant: HomeAssistantSettings::default(),
            tls: MqttTlsSettings::default(),
        }
    }
}
