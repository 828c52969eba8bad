//! A broker that lets the box in and refuses what it asks, or ends its sessions: told with the cure, and met calmly.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::publish::broker_status::BrokerStatus;
use ocelli::publish::sinks::mqtt::settings::ProtocolVersion;
use ocelli::vision::camera_id::CameraId;
use std::time::Duration;
use support::broker::Broker;
use support::scripted_broker::{Script, ScriptedBroker};
use support::sender::{Sender, streaming};
use support::wait_for;

const PROTOCOLS: [ProtocolVersion; 2] = [ProtocolVersion::V5, ProtocolVersion::V311];
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_retained_topic_that_the_broker_forbids_is_a_trouble_and_does_not_count_as_published() {
    let home = tempfile::tempdir().unwrap();
    let rules = home.path().join("rules");
    std::fs::write(&rules, "topic read #\ntopic write ocelli/box/available\n").unwrap();
    let broker = Broker::start_with(&format!("allow_anonymous true\nacl_file {}\n", rules.display()), &[]);
    let sender = Sender::start(home.path().join("events.db"), broker.port, |_| {});
    let publisher = &sender.publisher;
    let yard = CameraId::new("yard").unwrap();
    publisher.set_camera_state(&yard, &streaming(5.0));
    wait_for("a refusal", LIMIT, || (!publisher.refusals().is_empty()).then_some(()));
    let told = publisher.refusals().join("; ");
    for word in ["`ocelli/box/cameras/yard/state`", "NotAuthorized", "access list", "client id `box`"] {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
    wait_for("what is allowed", LIMIT, || (publisher.status().published == 1).then_some(()));
    assert_eq!(publisher.status().refused, 1);
    // A newer state waits for the minute as well.
    publisher.set_camera_state(&yard, &streaming(1.0));
    drop(sender);
    assert_eq!(broker.retained("ocelli/box/#").len(), 1);
}

#[test]
fn a_refused_subscription_is_a_trouble_until_it_is_granted_in_both_versions_of_mqtt() {
    for protocol in PROTOCOLS {
        let broker = ScriptedBroker::start(Script::RefuseSubscriptions);
        let home = tempfile::tempdir().unwrap();
        let sender = Sender::start(home.path().join("events.db"), broker.port, |settings| {
            (settings.protocol, settings.commands) = (protocol, true);
            settings.credentials.user = Some("gate".into());
        });
        let publisher = &sender.publisher;
        wait_for("a refusal", LIMIT, || (!publisher.refusals().is_empty()).then_some(()));
        let told = publisher.refusals();
        assert_eq!(told.len(), 1, "reading what it retains itself is not needed: {told:?}");
        for word in ["subscription", "`ocelli/box/command/+`", "access list", "user `gate`"] {
            assert!(told[0].contains(word), "`{word}` is not in: {}", told[0]);
        }
        let asked = broker.subscriptions();
        assert!(asked <= 2, "{asked}: it is asked again after a minute");
        broker.grant_from_next_session();
        wait_for("the end of the trouble", LIMIT, || {
            (broker.sessions() > 1 && publisher.refusals().is_empty()).then_some(())
        });
    }
}

#[test]
fn a_broker_that_ends_each_session_is_told_with_the_client_id_as_the_likely_cause() {
    for protocol in PROTOCOLS {
        let broker = ScriptedBroker::start(Script::EndSessions);
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("events.db");
        let sender = Sender::start(file, broker.port, |settings| settings.protocol = protocol);
        let told = wait_for("the likely cause", LIMIT, || match sender.publisher.broker() {
            BrokerStatus::Away(why) => why.filter(|why| why.contains("mqtt.client_id")),
            _ => None,
        });
        assert!(told.contains("`box`") && told.contains(&broker.port.to_string()), "{told}");
    }
}
