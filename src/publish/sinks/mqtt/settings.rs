//! `[mqtt]`.

use crate::publish::home_assistant::settings::HomeAssistantSettings;
use crate::secret::Credentials;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which version of MQTT is spoken.
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
    /// Each analysed frame, also an empty one: "nothing seen" is then told from "not looked at".
    #[default]
    Always,
    /// Only frames in which something was seen.
    NotEmpty,
    /// Never.
    Off,
}

/// `[mqtt]`: the broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttSettings {
    /// False: nothing is published over MQTT.
    pub enabled: bool,
    /// Name or address of the broker.
    pub host: String,
    /// 1883, or 8883 with TLS.
    pub port: u16,
    /// User and password.
    pub credentials: Credentials,
    /// Which version is spoken.
    pub protocol: ProtocolVersion,
    /// First part of every topic.
    pub topic_prefix: String,
    /// Empty: the box's id.
    pub client_id: String,
    /// Seconds between signs of life.
    pub keep_alive_seconds: u16,
    /// When a frame's detections are published.
    pub detections: PublishDetections,
    /// Seconds after which a broker (of MQTT 5) throws a frame's detections away that nobody has fetched.
    pub detections_expire_seconds: u32,
    /// Detections that wait for a slow connection; above it, and while the broker is away, new ones are dropped and
    /// counted.
    pub queue_messages: usize,
    /// Take commands: whoever may publish below `<prefix>/<box>/command` may then stop models and switch off cameras.
    pub commands: bool,
    /// Makes cameras appear in Home Assistant by themselves.
    pub home_assistant: HomeAssistantSettings,
    /// Encrypts the connection and checks the broker's certificate.
    pub tls: MqttTlsSettings,
}

/// `[mqtt.tls]`.
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
            commands: false,
            home_assistant: HomeAssistantSettings::default(),
            tls: MqttTlsSettings::default(),
        }
    }
}
