//! Connections that change while the daemon runs: the broker, the certificate, access keys and the log level.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::broker::Broker;
use support::camera::RtspCamera;
use support::daemon::{Daemon, camera};
use support::{free_port, wait_for};

const LIMIT: Duration = Duration::from_secs(30);

/// Puts these settings in force; returns what changed.
fn reload(daemon: &Daemon, settings: &str) -> Vec<String> {
    fs::write(daemon.home().join("ocelli.toml"), settings).unwrap();
    let (status, answer) = daemon.post_json("/api/reload", &json!({})).unwrap();
    assert_eq!((status, &answer["needs_restart"]), (200, &json!([])), "{answer}");
    let changed = answer["changed"].as_array().unwrap();
    changed.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

fn settings(daemon: &Daemon) -> String {
    fs::read_to_string(daemon.home().join("ocelli.toml")).unwrap()
}

#[test]
fn another_broker_gets_everything_and_the_first_one_a_goodbye() {
    let (first, second) = (Broker::start(), Broker::start());
    let yard = RtspCamera::surveillance(0);
    let daemon = Daemon::start(first.port, &camera("yard", yard.url(), 5));
    daemon.wait_ready();
    let goodbye = first.settled_subscriber("ocelli/box/available");
    let events = second.settled_subscriber("#");
    let units = daemon.units();
    wait_for("a label that is counted", LIMIT, || {
        first.retained("ocelli/box/cameras/yard/labels/person").pop_first().map(drop)
    });

    let text = settings(&daemon).replace(&format!("port = {}", first.port), &format!("port = {}", second.port));
    let home_assistant = "[mqtt]\nhome_assistant = { enabled = true, labels = [\"person\"] }\ncommands = true\n";
    let changed = reload(&daemon, &text.replacen("[mqtt]\n", home_assistant, 1));
    assert_eq!(changed, ["[mqtt]: changed; it reconnects"]);
    goodbye.wait("the goodbye", LIMIT, |_, payload| payload == "stopped");
    for topic in ["available", "state", "cameras/yard/state", "cameras/yard/labels/person"] {
        let topic = format!("ocelli/box/{topic}");
        wait_for(&topic, LIMIT, || second.retained(&topic).pop_first().map(drop));
    }
    assert!(!second.retained("homeassistant/device/+/config").is_empty());
    events.wait("detections", LIMIT, |topic, _| topic == "ocelli/box/cameras/yard/detections");
    second.publish("ocelli/box/command/disable", &json!({"camera": "yard"}).to_string());
    events.wait("the reply to a command", LIMIT, |topic, payload| {
        topic == "ocelli/box/reply" && payload.contains("disable")
    });
    assert_eq!(daemon.units(), units, "no unit was replaced");
    assert_eq!(reload(&daemon, &settings(&daemon)), Vec::<String>::new());
    assert!(daemon.stop().0.success());
}

#[test]
fn a_broker_with_a_mistake_changes_nothing() {
    let broker = Broker::start();
    let daemon = Daemon::start(broker.port, "");
    daemon.wait_ready();
    wait_for("the broker", LIMIT, || (daemon.sum("ocelli_mqtt_connected") == 1.0).then_some(()));
    let before = settings(&daemon);
    let missing = before.replacen("[mqtt]\n", "[mqtt]\ntls = { enabled = true, ca_file = \"/nowhere.pem\" }\n", 1);
    fs::write(daemon.home().join("ocelli.toml"), missing).unwrap();
    let (status, answer) = daemon.post_json("/api/reload", &json!({})).unwrap();
    assert!(status == 422 && answer.to_string().contains("/nowhere.pem"), "{answer}");
    assert_eq!(daemon.sum("ocelli_mqtt_connected"), 1.0);
    assert!(daemon.stop().0.success());
}

/// A certificate with a key, as the operator renews them: in the same files.
fn renew_certificate(home: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    fs::write(home.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    fs::write(home.join("certificate.pem"), made.cert.pem()).unwrap();
}

/// The fingerprint of the certificate that is shown at a port.
fn fingerprint(port: u16) -> Option<String> {
    let shown =
        format!("openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint");
    let output = Command::new("sh").args(["-c", &shown]).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap()).filter(|text| text.contains("ingerprint"))
}

#[test]
fn certificate_log_level_and_keys_are_renewed() {
    let (broker, port, files) = (Broker::start(), free_port(), tempfile::tempdir().unwrap());
    renew_certificate(files.path(), "first.lan");
    let place = |name: &str| files.path().join(name).display().to_string();
    let key = |id: &str| {
        format!(
            "[[access_keys]]\naccess_key_id = \"{id}\"\nsecret = \"a-secret-of-some-length\"\nrole = \"operator\"\n"
        )
    };
    let text = format!(
        "[http]\npublic_address = \"127.0.0.1\"\npublic_port = {port}\ntls = {{ certificate_file = \"{}\", key_file = \"{}\" }}\n",
        place("certificate.pem"),
        place("key.pem"),
    );
    let daemon = Daemon::start(broker.port, &(text + &key("AKIAFIRST")));
    let first = wait_for("the first certificate", LIMIT, || fingerprint(port));
    renew_certificate(files.path(), "second.lan");
    let text = settings(&daemon);
    assert_eq!(reload(&daemon, &text), ["[http.tls]: new connections get another certificate"]);
    assert_ne!(fingerprint(port), Some(first));

    assert_eq!(reload(&daemon, &format!("{text}{}", key("AKIASECOND"))), ["[[access_keys]]: changed"]);
    assert_eq!(
        reload(&daemon, &format!("{text}[log]\nlevel = \"debug\"\n")),
        ["[[access_keys]]: changed", "log.level: changed"]
    );
    TcpStream::connect(("127.0.0.1", port)).unwrap().write_all(b"this is no TLS").unwrap();
    wait_for("a line of debug", LIMIT, || daemon.log().contains("a TLS handshake failed").then_some(()));
    let status: Value = serde_json::from_str(&daemon.get("/api/status").unwrap().1).unwrap();
    assert_eq!(status["box_id"], "box");
    assert!(daemon.stop().0.success());
}
