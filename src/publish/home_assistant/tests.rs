//! What a camera is announced as, whatever it and its labels are called, and how long that may get.

use super::settings::{HomeAssistantSettings, MAX_LABEL_BYTES, MAX_LABELS, MAX_PREFIX_BYTES};
use super::*;
use crate::publish::message::MAX_PAYLOAD_BYTES;
use crate::vision::camera_id::CameraId;
use serde_json::Value;

/// What `box_id` announces of `camera`, and the message as JSON.
fn announce(box_id: &str, camera: &str, labels: &[&str]) -> (DiscoveryMessage, Value) {
    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    let device = CameraDevice {
        discovery_prefix: "homeassistant",
        topic_prefix: "ocelli",
        box_id,
        is_clustered: false,
        camera: &CameraId::new(camera).unwrap(),
        name: "Back yard",
        version: "0.1.0",
        labels: &labels,
    };
    let message = device.announcement().unwrap();
    let json = serde_json::from_slice(&message.payload).unwrap();
    (message, json)
}

#[test]
fn one_message_announces_the_device_its_origin_and_its_entities() {
    let (message, json) = announce("gate-1", "yard", &["person"]);
    assert_eq!(message.topic, "homeassistant/device/gate-1_yard/config");
    assert_eq!(json["dev"]["identifiers"], json!(["ocelli/gate-1/yard"]));
    assert_eq!((&json["dev"]["name"], &json["dev"]["sw_version"]), (&json!("Back yard"), &json!("0.1.0")));
    assert_eq!(json["o"], json!({"name": "ocelli", "sw": "0.1.0"}));
    let platforms: Vec<_> =
        json["cmps"].as_object().unwrap().iter().map(|(key, it)| (key.as_str(), &it["p"])).collect();
    let expected = [
        ("connection", "binary_sensor"),
        ("count_person", "sensor"),
        ("event", "event"),
        ("in_view_person", "binary_sensor"),
        ("snapshot", "image"),
    ];
    assert_eq!(platforms.len(), expected.len());
    assert!(expected.iter().all(|(key, platform)| json["cmps"][key]["p"] == *platform), "{platforms:?}");
}

#[test]
fn entities_follow_the_topics_of_the_contract() {
    let (_, json) = announce("gate-1", "yard", &["traffic light"]);
    let components = &json["cmps"];
    assert_eq!(components["in_view_traffic_light"]["state_topic"], "ocelli/gate-1/cameras/yard/labels/traffic_light");
    assert_eq!(components["count_traffic_light"]["state_topic"], "ocelli/gate-1/cameras/yard/labels/traffic_light");
    assert_eq!(components["in_view_traffic_light"]["name"], "Traffic light");
    assert_eq!(components["connection"]["state_topic"], "ocelli/gate-1/cameras/yard/state");
    assert_eq!(components["snapshot"]["image_topic"], "ocelli/gate-1/cameras/yard/snapshot");
    assert_eq!(components["event"]["state_topic"], "ocelli/gate-1/cameras/yard/events");
}

#[test]
fn counts_are_unavailable_while_the_camera_is_lost_and_the_rest_only_without_the_box() {
    let (_, json) = announce("gate-1", "yard", &["person"]);
    let topics =
        |of: &Value| of["availability"].as_array().unwrap().iter().map(|it| it["topic"].clone()).collect::<Vec<_>>();
    assert_eq!(topics(&json), ["ocelli/gate-1/available", "ocelli/gate-1/cameras/yard/state"]);
    assert_eq!(json["availability_mode"], "all");
    for key in ["in_view_person", "count_person"] {
        assert!(json["cmps"][key].get("availability").is_none(), "{key} has the device's");
    }
    for key in ["connection", "snapshot", "event"] {
        assert_eq!(topics(&json["cmps"][key]), ["ocelli/gate-1/available"], "{key}");
    }
}

#[test]
fn no_two_entities_share_an_id_whatever_cameras_and_labels_are_called() {
    let labels = ["person", "person count", "snapshot", "in view person", "connection"];
    let mut ids = std::collections::BTreeSet::new();
    let mut expected = 0;
    for (box_id, camera) in [("gate", "1_yard"), ("gate_1", "yard"), ("gate", "yard"), ("gate", "yard_count")] {
        let (_, json) = announce(box_id, camera, &labels);
        let components = json["cmps"].as_object().unwrap();
        assert_eq!(components.len(), 2 * labels.len() + 3);
        expected += components.len();
        ids.extend(components.values().map(|it| it["unique_id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(ids.len(), expected);
}

#[test]
fn the_longest_announcement_that_settings_allow_fits_the_contract() {
    // `Ⱥ` takes more bytes in lower case, a quotation mark twice its own in JSON.
    let label = |index: usize| match index % 2 {
        0 => format!("{}{index}", "Ⱥ".repeat((MAX_LABEL_BYTES - 1) / 2)),
        _ => format!("{}{index}", "\"".repeat(MAX_LABEL_BYTES - 1)),
    };
    let prefix = "p".repeat(MAX_PREFIX_BYTES);
    let labels: Vec<String> = (0..MAX_LABELS).map(label).collect();
    let settings = HomeAssistantSettings {
        enabled: true,
        discovery_prefix: prefix.clone(),
        labels: labels.clone(),
        ..HomeAssistantSettings::default()
    };
    assert_eq!(settings.mistakes(&prefix), [], "the case is one that is allowed");
    let id = "i".repeat(64);
    let device = CameraDevice {
        discovery_prefix: &prefix,
        topic_prefix: &prefix,
        box_id: &id,
        is_clustered: false,
        camera: &CameraId::new(id.as_str()).unwrap(),
        name: &"\"".repeat(64),
        version: "0.1.0-beta.1+20261124",
        labels: &labels,
    };
    let bytes = device.announcement().unwrap().payload.len();
    assert!(bytes <= MAX_PAYLOAD_BYTES, "{bytes} bytes");
}

#[test]
fn a_camera_without_labels_of_interest_is_announced_too() {
    let (_, json) = announce("gate-1", "yard", &[]);
    assert_eq!(json["cmps"].as_object().unwrap().len(), 3);
}

#[test]
fn a_removal_is_an_empty_message_on_the_same_topic() {
    let (message, _) = announce("gate-1", "yard", &[]);
    let removal = removal(announcement_topic("homeassistant", "gate-1", "yard"));
    assert_eq!((removal.topic, removal.payload), (message.topic, Vec::new()));
}

#[test]
fn only_this_boxs_announcements_of_cameras_that_are_gone_are_leftovers() {
    let known = [CameraId::new("yard").unwrap()];
    for (box_id, camera, leftover) in
        [("gate", "yard", false), ("gate", "door", true), ("gate_1", "door", false), ("other", "door", false)]
    {
        let (message, _) = announce(box_id, camera, &["person"]);
        assert_eq!(is_leftover(&message.payload, "gate", &known), leftover, "{box_id} {camera}");
    }
    for foreign in [&b""[..], b"no JSON", b"[]", br#"{"dev":{"identifiers":"zigbee"}}"#] {
        assert!(!is_leftover(foreign, "gate", &known));
    }
}

#[test]
fn the_announcement_is_the_one_that_home_assistants_own_code_is_tried_on() {
    let golden = include_str!("../../../tests/golden/home_assistant/gate-1_yard.json");
    let (_, json) = announce("gate-1", "yard", &["person", "traffic light"]);
    assert_eq!(json, serde_json::from_str::<Value>(golden).unwrap(), "{json:#}");
}

#[test]
fn a_camera_of_a_cluster_is_there_as_long_as_any_box_looks_at_it() {
    let camera = CameraId::new("yard").unwrap();
    let device = CameraDevice {
        discovery_prefix: "homeassistant",
        topic_prefix: "ocelli",
        box_id: "hall",
        is_clustered: true,
        camera: &camera,
        name: "Back yard",
        version: "0.1.0",
        labels: &[],
    };
    let text = String::from_utf8(device.announcement().unwrap().payload).unwrap();
    assert!(text.contains("ocelli/hall/owner/yard") && !text.contains("ocelli/hall/available"), "{text}");
}
