//! `[mqtt]`, `[tracking]` and `[outbox]`.

use crate::settings::Settings;
use crate::settings::check::findings::Findings;

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let mqtt = &settings.mqtt;
    findings.range("mqtt.port", f64::from(mqtt.port), 1.0, 65535.0);
    findings.range("mqtt.keep_alive_seconds", f64::from(mqtt.keep_alive_seconds), 5.0, 3600.0);
    // With 0 the broker may drop every message before it delivers it.
    let expire = f64::from(mqtt.detections_expire_seconds);
    findings.range("mqtt.detections_expire_seconds", expire, 1.0, 86_400.0);
    if !(1..=100_000).contains(&mqtt.queue_messages) {
        findings.add("mqtt.queue_messages", format!("is {} but must be 1 to 100000", mqtt.queue_messages));
    }
    if mqtt.enabled && (mqtt.host.trim().is_empty() || mqtt.host.contains("://")) {
        findings.add("mqtt.host", "must be only the name or address of the broker; the port goes to `mqtt.port`");
    }
    let is_level = |level: &str| !level.is_empty() && !level.contains(['+', '#', '\0']);
    if !mqtt.topic_prefix.split('/').all(is_level) {
        findings.add("mqtt.topic_prefix", "must be topic levels separated by `/`, not empty and without `+` and `#`");
    }
    for (index, prefix) in mqtt.reply_prefixes.iter().enumerate() {
        if prefix.is_empty() || prefix.contains(['+', '#', '\0']) {
            let what = "must be the beginning of a topic, not empty and without `+` and `#`: \"answers/\"";
            findings.add(format!("mqtt.reply_prefixes[{index}]"), what);
        }
    }
    findings.extend("mqtt", mqtt.home_assistant.mistakes(&mqtt.topic_prefix));
    if mqtt.enabled && mqtt.tls.enabled {
        check_tls(settings, findings);
    }
    findings.credentials("mqtt.credentials", &mqtt.credentials);

    let tracking = settings.tracking.check().into_iter().map(|mistake| (mistake.field, mistake.what));
    findings.extend("tracking", tracking);
    findings.range("outbox.max_mib", f64::from(settings.outbox.max_mib), 1.0, 65536.0);
    findings.range("outbox.sync_seconds", f64::from(settings.outbox.sync_seconds), 1.0, 60.0);
    findings.range("outbox.keep_hours", f64::from(settings.outbox.keep_hours), 0.0, 8760.0);
}

fn check_tls(settings: &Settings, findings: &mut Findings) {
    let tls = &settings.mqtt.tls;
    if tls.ca_file.is_none() {
        findings.add(
            "mqtt.tls.ca_file",
            "is required with TLS: give the certificate of the authority that signed the broker's certificate",
        );
    }
    if tls.certificate_file.is_some() != tls.key_file.is_some() {
        findings.add("mqtt.tls.key_file", "must be set together with `mqtt.tls.certificate_file`: set both or neither");
    }
    findings.readable("mqtt.tls.ca_file", tls.ca_file.as_ref());
    findings.readable("mqtt.tls.certificate_file", tls.certificate_file.as_ref());
    findings.readable("mqtt.tls.key_file", tls.key_file.as_ref());
}
