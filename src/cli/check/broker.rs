//! The broker: its name and port, TLS, login, and the right to publish.

use crate::cli::check::reach::reach;
use crate::cli::check::report::{Finding, Severity};
use crate::publish::sinks::mqtt::MqttSetupError;
use crate::publish::sinks::mqtt::settings::{MqttSettings, MqttTlsSettings, ProtocolVersion};
use crate::publish::sinks::mqtt::trial::{BrokerTrouble, check_setup, try_broker};
use crate::settings::Settings;
use crate::vision::error_chain::describe;
use std::path::PathBuf;

/// Reads certificates, keys and the password; connects to nothing.
pub(super) fn check_broker_files(settings: &Settings) -> Option<Finding> {
    let mqtt = &settings.mqtt;
    let error = check_setup(mqtt, &settings.box_id).err().filter(|_| mqtt.enabled)?;
    let finding = Finding::new(Severity::Mistake, "broker", describe(&error)).key(key_of(&error, &mqtt.tls));
    Some(finding.cure("correct the file, or the setting that names it"))
}

/// The setting that names the file which cannot be used.
fn key_of(error: &MqttSetupError, tls: &MqttTlsSettings) -> &'static str {
    let names = |file: &Option<PathBuf>, path: &PathBuf| file.as_ref() == Some(path);
    match error {
        MqttSetupError::Pem { path, .. } if names(&tls.key_file, path) => "mqtt.tls.key_file",
        MqttSetupError::Pem { path, .. } if names(&tls.certificate_file, path) => "mqtt.tls.certificate_file",
        MqttSetupError::Pem { .. } => "mqtt.tls.ca_file",
        MqttSetupError::Host(_) => "mqtt.host",
        MqttSetupError::Tls(_) => "mqtt.tls",
        MqttSetupError::Secret(_) => "mqtt.credentials",
    }
}

/// Connects and publishes once. Whoever subscribes to the topic sees it, but it is not retained.
pub(super) async fn check_broker(settings: &Settings) -> Finding {
    let mqtt = &settings.mqtt;
    let address = format!("{}:{}", mqtt.host, mqtt.port);
    if let Err(unreachable) = reach(&mqtt.host, mqtt.port).await {
        let finding = Finding::new(Severity::Failed, "broker", unreachable.what);
        return finding.key("mqtt.host").cure(unreachable.cure);
    }
    match try_broker(mqtt, &settings.box_id).await {
        Ok(topic) => Finding::ok("broker", accepted(mqtt, &address, &topic)),
        Err(trouble) => {
            let finding = Finding::new(Severity::Failed, "broker", format!("{address}: {}", describe(&trouble)));
            match trouble {
                BrokerTrouble::Refused(_) => finding.key("mqtt.credentials"),
                BrokerTrouble::Forbidden { .. } | BrokerTrouble::NoAcknowledgement(_) => {
                    let user = mqtt
                        .credentials
                        .user
                        .as_deref()
                        .map_or("this box".to_owned(), |user| format!("the user {user}"));
                    let topics = format!("{}/{}/#", mqtt.topic_prefix, settings.box_id);
                    finding
                        .key("mqtt.topic_prefix")
                        .cure(format!("let {user} publish to `{topics}` in the broker's access list"))
                }
                BrokerTrouble::Setup(_) | BrokerTrouble::Connection(_) | BrokerTrouble::Silent => finding.key("mqtt"),
            }
        }
    }
}

fn accepted(mqtt: &MqttSettings, address: &str, topic: &str) -> String {
    let login = match &mqtt.credentials.user {
        Some(user) => format!("the login of {user}"),
        None => "a connection without a login".to_owned(),
    };
    let tls = if mqtt.tls.enabled { " over TLS" } else { "" };
    match mqtt.protocol {
        ProtocolVersion::V5 => format!("{address} accepts {login}{tls} and what is published to `{topic}`"),
        // A broker that forbids a topic acknowledges all the same.
        ProtocolVersion::V311 => {
            format!("{address} accepts {login}{tls}; whether it accepts what is published, MQTT 3.1.1 does not say")
        }
    }
}
