//! The JSON Schemas of all messages, generated from their types, and that those in `docs/schemas/` are current.
//!
//! Draft 7, because more tools read it than later ones. A type of a subscriber's own can be generated from them.

use crate::publish::cluster_link::{OwnerMessage, SCHEMA_OWNER};
use crate::publish::command_message::{CameraCommand, ModelCommand, ReplyMessage, SCHEMA_REPLY};
use crate::publish::event::{EventMessage, SCHEMA_EVENT};
use crate::publish::message::{DetectionsMessage, SCHEMA_DETECTIONS};
use crate::publish::state_message::{BoxStateMessage, CameraStateMessage, SCHEMA_CAMERA_STATE, SCHEMA_STATE};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Set to write the files instead of comparing them.
const WRITE: &str = "OCELLI_WRITE_SCHEMAS";

/// A message that this box sends. Fields may be added within a version, so one that a subscriber does not know is no
/// mistake.
fn sent<T: JsonSchema>(name: &str) -> (String, Value) {
    let schema = settings().for_serialize().into_generator().into_root_schema_for::<T>();
    named(name, schema, Null::Never)
}

/// A message that this box receives.
fn received<T: JsonSchema>(name: &str) -> (String, Value) {
    let schema = settings().for_deserialize().into_generator().into_root_schema_for::<T>();
    named(name, schema, Null::Allowed)
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true)
}

fn named(name: &str, schema: Schema, null: Null) -> (String, Value) {
    let mut schema = schema.to_value();
    tidy(&mut schema, null);
    schema["title"] = name.into();
    (format!("{name}.json"), schema)
}

/// What null means in a field that may be absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Null {
    /// The same.
    Allowed,
    /// This box leaves such a field out.
    Never,
}

/// Removes what other programs do not know, `format`s such as `uint64`, and null where it never comes.
fn tidy(schema: &mut Value, null: Null) {
    let Value::Object(object) = schema else { return };
    if object.get("format").is_some_and(|format| format != "date-time") {
        object.remove("format");
    }
    if null == Null::Never {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|one| one != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
            choices.retain(|choice| choice["type"] != "null");
            if let [Value::Object(only)] = &choices[..] {
                let only = only.clone();
                object.remove("anyOf");
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|property| tidy(property, null));
    }
    for key in ["items", "additionalProperties"] {
        object.get_mut(key).into_iter().for_each(|inner| tidy(inner, null));
    }
}

fn all() -> Vec<(String, Value)> {
    vec![
        sent::<DetectionsMessage>(SCHEMA_DETECTIONS),
        sent::<EventMessage>(SCHEMA_EVENT),
        sent::<CameraStateMessage>(SCHEMA_CAMERA_STATE),
        sent::<BoxStateMessage>(SCHEMA_STATE),
        sent::<ReplyMessage>(SCHEMA_REPLY),
        sent::<OwnerMessage>(SCHEMA_OWNER),
        received::<CameraCommand>("ocelli.camera-command.v1"),
        received::<ModelCommand>("ocelli.model-command.v1"),
    ]
}

#[test]
fn the_schemas_in_the_documentation_are_those_of_the_messages() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    for (name, schema) in all() {
        let (path, text) = (directory.join(&name), serde_json::to_string_pretty(&schema).unwrap() + "\n");
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == text,
            "docs/schemas/{name} is not current: run `make schemas`, and say in CHANGELOG.md what is new"
        );
    }
    let names: BTreeSet<String> = all().into_iter().map(|(name, _)| name).collect();
    let files = std::fs::read_dir(&directory).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, files, "each file in docs/schemas is that of a message");
}

#[test]
fn a_schema_names_itself_and_what_is_always_there() {
    let (_, schema) = sent::<EventMessage>(SCHEMA_EVENT);
    assert_eq!(schema["properties"]["schema"]["const"], SCHEMA_EVENT);
    let required: BTreeSet<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(["schema", "id", "seq", "type", "box_id"].iter().all(|field| required.contains(field)), "{required:?}");
    assert!(["box", "ended_at", "dropped", "monotonic_ms"].iter().all(|field| !required.contains(field)));
    assert!(schema["properties"]["dropped"].is_object() && schema["properties"]["box"]["type"] == "object", "{schema}");
    assert!(!schema.to_string().contains("null"), "{schema}");
}
