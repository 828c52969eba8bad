//! What a box retains at a broker of its own topics, and what it takes away again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use ocelli::publish::cluster_link::ClusterCameras;
use ocelli::publish::label_counts::LabelCounts;
use ocelli::publish::publisher::Publisher;
use ocelli::publish::sinks::mqtt::settings::{MqttSettings, ProtocolVersion, PublishLabelCounts};
use ocelli::vision::camera_id::CameraId;
use std::time::Duration;
use support::broker::Broker;
use support::sender::{Sender, streaming};
use support::wait_for;
use tempfile::{TempDir, tempdir};

const PROTOCOLS: [ProtocolVersion; 2] = [ProtocolVersion::V5, ProtocolVersion::V311];
const LABELS: &str = "ocelli/box/cameras/yard/labels/+";
const LIMIT: Duration = Duration::from_secs(20);

fn id(camera: &str) -> CameraId {
    CameraId::new(camera).unwrap()
}

/// A box with the cameras `yard` and `door`, and its outbox in `home`.
fn start(broker: &Broker, home: &TempDir, set: impl FnOnce(&mut MqttSettings)) -> Sender {
    Sender::start(home.path().join("events.db"), broker.port, set)
}

/// A model with these labels has looked at the camera, and counts these in view.
fn look(publisher: &mut Publisher, labels: &[&str], in_view: &[&str]) {
    let owned: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    let mut counts = LabelCounts::starting_at_zero(labels.iter().copied());
    publisher.set_labels(&id("yard"), &owned, false);
    publisher.set_label_counts(&id("yard"), &counts.current().collect::<Vec<_>>());
    publisher.set_label_counts(&id("yard"), &counts.set_in_view(in_view.iter().copied()));
}

/// The labels that the broker retains become these.
fn wait_labels(broker: &Broker, expected: &[&str]) {
    wait_for(&format!("{expected:?}"), LIMIT, || {
        let topics = broker.retained(LABELS);
        let levels: Vec<&str> = topics.keys().map(|topic| topic.rsplit('/').next().unwrap()).collect();
        (levels == expected).then_some(())
    });
}

#[test]
fn counts_of_labels_that_only_an_earlier_model_had_are_set_to_zero_and_cleared() {
    for protocol in PROTOCOLS {
        let (broker, home) = (Broker::start(), tempdir().unwrap());
        broker.retain("ocelli/box/cameras/yard/labels/zebra", "2");
        broker.retain("ocelli/box/cameras/door/labels/zebra", "2");
        let last = broker.settled_subscriber("ocelli/box/cameras/yard/labels/zebra");
        let mut sender = start(&broker, &home, |settings| settings.protocol = protocol);
        look(&mut sender.publisher, &["person", "lorry"], &["person"]);
        wait_labels(&broker, &["lorry", "person"]);
        last.wait("a last count", LIMIT, |_, payload| payload == "0");
        let others = broker.retained("ocelli/box/cameras/door/#");
        assert_eq!(others.len(), 1, "nobody has looked at it: {others:?}");
    }
}

#[test]
fn after_a_swap_the_labels_of_the_old_package_are_gone_also_while_they_are_in_view() {
    let (broker, home) = (Broker::start(), tempdir().unwrap());
    let mut sender = start(&broker, &home, |_| {});
    let publisher = &mut sender.publisher;
    look(publisher, &["person", "zebra"], &["zebra"]);
    wait_labels(&broker, &["person", "zebra"]);
    look(publisher, &["person", "lorry"], &["lorry"]);
    let old = LabelCounts::default().set_in_view(["zebra"]);
    publisher.set_label_counts(&id("yard"), &old);
    wait_labels(&broker, &["lorry", "person"]);
}

#[test]
fn only_labels_that_matter_are_retained_if_the_settings_say_so() {
    let (broker, home) = (Broker::start(), tempdir().unwrap());
    // What the box retained when it was set otherwise.
    broker.retain("ocelli/box/cameras/yard/labels/zebra", "0");
    let mut sender = start(&broker, &home, |settings| {
        settings.label_counts = PublishLabelCounts::Seen;
        settings.home_assistant.enabled = true;
        settings.home_assistant.labels = vec!["person".into(), "unknown".into()];
    });
    let publisher = &mut sender.publisher;
    look(publisher, &["person", "zebra", "lorry", "dog"], &["dog"]);
    wait_labels(&broker, &["dog", "person"]);
    let gone = LabelCounts::starting_at_zero(["dog"]).current().collect::<Vec<_>>();
    publisher.set_label_counts(&id("yard"), &gone);
    let counts = broker.subscribe("ocelli/box/cameras/yard/labels/dog");
    counts.wait("nobody", LIMIT, |_, payload| payload == "0");
}

#[test]
fn a_camera_that_is_removed_while_the_daemon_runs_takes_its_topics_along() {
    let (broker, home) = (Broker::start(), tempdir().unwrap());
    let mut sender = start(&broker, &home, |settings| settings.home_assistant.enabled = true);
    let publisher = &mut sender.publisher;
    let state = streaming(5.0);
    ["yard", "door"].iter().for_each(|camera| publisher.set_camera_state(&id(camera), &state));
    look(publisher, &["person"], &[]);
    publisher.publish_snapshot(&id("yard"), b"a picture");
    let of_yard = ["ocelli/box/cameras/yard/#", "homeassistant/device/box_yard/config"];
    let count = |topics: &[&str]| topics.iter().map(|topic| broker.retained(topic).len()).sum::<usize>();
    wait_for("a camera's topics", LIMIT, || (count(&of_yard) == 4).then_some(()));
    publisher.set_cameras(&[id("door")], ClusterCameras::default());
    // Late, of what was under way when the camera was removed.
    publisher.set_camera_state(&id("yard"), &state);
    wait_for("the end of them", LIMIT, || (count(&of_yard) == 0).then_some(()));
    assert_eq!(count(&["ocelli/box/cameras/door/state"]), 1);
}
