//! The entities of a camera: their topics and how their payloads are read.

use crate::publish::home_assistant::device::{CameraDevice, device_identifier};
use crate::publish::label_level::label_level;
use serde_json::{Map, Value, json};

/// The entities by their key within the device.
///
/// Keys of labels begin with the kind, so that no label (`snapshot`, `person count`) takes another entity's key. The
/// keys and unique ids identify an entity to Home Assistant: changing one loses the user's history.
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

/// On while at least one object of the label is in view.
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

/// The number of objects in view. It has no unit, because counts of people and of cars must not be compared.
fn count(device: &CameraDevice<'_>, label: &str, level: &str) -> Value {
    json!({
        "p": "sensor",
        "name": format!("{} count", capitalized(label)),
        "state_class": "measurement",
        "state_topic": device.topic(&format!("labels/{level}")),
        "qos": 1,
    })
}

/// Reports a lost camera, so it is available as long as the box is. Details of the stream and the reason of a loss become
/// its attributes.
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

/// The picture of the last event. It stays available while the camera is lost, when it matters most.
fn snapshot(device: &CameraDevice<'_>) -> Value {
    json!({
        "p": "image",
        "name": "Snapshot",
        "image_topic": device.topic("snapshot"),
        "content_type": "image/jpeg",
        "availability": [device.box_is_there()],
    })
}

/// The trigger for automations: the fields of our message become its attributes, such as label, track and confidence. An
/// event that ends because the camera is lost must still arrive, so only the box must be available.
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
