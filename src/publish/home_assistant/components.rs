//! The entities of a camera: what each follows, and how its payload is read.

use crate::publish::home_assistant::device::{CameraDevice, device_identifier};
use crate::publish::label_level::label_level;
use serde_json::{Map, Value, json};

/// The entities by their key within the device.
///
/// Keys of labels begin with the kind, so that no label (`snapshot`, `person count`) takes another entity's key. The
/// keys and unique ids are how Home Assistant knows an entity again: changing one loses a user's history of it.
pub(super) fn components(device: &CameraDevice<'_>) -> Value {
    let mut all = Map::new();
    let mut add = |key: String, mut component: Value| {
        let device_id = device_identifier(device.box_id, device.camera.as_str());
        component["unique_id"] = format!("{device_id}/{key}").into();
        all.insert(key, component);
    };
    for label in device.labels {
        let level = label_level(label);
        add(format!("in_view_{level}"), in_view(device, label, &level));
        add(format!("count_{level}"), count(device, label, &level));
    }
    add("connection".into(), connection(device));
    add("snapshot".into(), snapshot(device));
    add("event".into(), event(device));
    Value::Object(all)
}

/// On while at least one is in view.
fn in_view(device: &CameraDevice<'_>, label: &str, level: &str) -> Value {
    json!({
        "p": "binary_sensor",
        "name": capitalized(label),
        "device_class": "occupancy",
        "state_topic": device.topic(&format!("labels/{level}")),
        "value_template": "{{ 'ON' if value | int > 0 else 'OFF' }}",
        "qos": 1,
    })
}

/// How many are in view. It has no unit: a count of people is not a count of cars.
fn count(device: &CameraDevice<'_>, label: &str, level: &str) -> Value {
    json!({
        "p": "sensor",
        "name": format!("{} count", capitalized(label)),
        "state_class": "measurement",
        "state_topic": device.topic(&format!("labels/{level}")),
        "qos": 1,
    })
}

/// Says that the camera is lost, so it is itself there as long as the box is; what else is known of the stream, and
/// why it is lost, becomes its attributes.
fn connection(device: &CameraDevice<'_>) -> Value {
    json!({
        "p": "binary_sensor",
        "name": "Connection",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": device.topic("state"),
        "value_template": "{{ 'ON' if value_json.state == 'streaming' else 'OFF' }}",
        "json_attributes_topic": device.topic("state"),
        "availability": [device.box_is_there()],
        "qos": 1,
    })
}

/// The picture of the last event is worth seeing above all when the camera is gone.
fn snapshot(device: &CameraDevice<'_>) -> Value {
    json!({
        "p": "image",
        "name": "Snapshot",
        "image_topic": device.topic("snapshot"),
        "content_type": "image/jpeg",
        "availability": [device.box_is_there()],
    })
}

/// What an automation starts from: the whole of our message becomes its attributes, label, track and confidence among
/// them. An event that ends because the camera is lost must still arrive, so it needs the box only.
fn event(device: &CameraDevice<'_>) -> Value {
    json!({
        "p": "event",
        "name": "Event",
        "event_types": ["began", "changed", "ended"],
        "state_topic": device.topic("events"),
        "value_template": "{{ dict(value_json, event_type=value_json.type) | to_json }}",
        "availability": [device.box_is_there()],
        "qos": 1,
    })
}

fn capitalized(label: &str) -> String {
    let mut characters = label.trim().chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
