//! Reads files and environment.
//!
//! Serde stops at the first mistake, and a person who mends settings wants all of them. So each
//! value is tried alone in an otherwise default section first.

use crate::camera::settings::CameraSettings;
use crate::settings::Settings;
use crate::settings::check;
use crate::settings::top_level::{box_id, state_directory};
use crate::settings::url_credentials::take_credentials_from_url;
use crate::supervisor::settings::ModelSettings;
use config::{Config, Environment, File, FileFormat, Source, Value, ValueKind};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::PathBuf;

/// One thing to mend.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The file, or `the environment`.
    pub origin: String,
    /// The full key, as `mqtt.port` or `cameras[1].fps`.
    pub key: String,
    /// What is wrong and what would be right.
    pub what: String,
}

/// All mistakes of the settings.
#[derive(Clone, Debug, Default, Eq, PartialEq, thiserror::Error)]
pub struct SettingsErrors(pub Vec<Mistake>);

impl std::fmt::Display for SettingsErrors {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{} to mend in the settings:", count(self.0.len()))?;
        for Mistake { origin, key, what } in &self.0 {
            let key = if key.is_empty() { String::new() } else { format!("`{key}`: ") };
            writeln!(out, "  {origin}: {key}{what}")?;
        }
        write!(out, "Every setting with its default and reason is in configs/ocelli.toml.")
    }
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".into() } else { format!("{mistakes} mistakes") }
}

/// Sections that may be there.
const SECTIONS: [&str; 17] = [
    "box_id",
    "state_directory",
    "log",
    "http",
    "rekognition",
    "access_keys",
    "buckets",
    "capture",
    "snapshots",
    "cameras",
    "units",
    "models",
    "zones",
    "mqtt",
    "tracking",
    "outbox",
    "sandbox",
];

impl Settings {
    /// Reads `files`, a later one over an earlier one, and `OCELLI_SECTION__KEY` from the environment over all.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake that was found.
    pub fn load(files: &[PathBuf]) -> Result<Self, SettingsErrors> {
        let environment = std::env::vars().filter(|(name, _)| is_setting(name)).collect();
        Self::load_with(files, environment)
    }

    /// [`Self::load`] with a given environment.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake that was found.
    pub fn load_with(files: &[PathBuf], environment: HashMap<String, String>) -> Result<Self, SettingsErrors> {
        let root = read(files, environment)?;
        let mut mistakes = Vec::new();
        for (key, value) in &root {
            if !SECTIONS.contains(&key.as_str()) {
                let what = format!("there is no such section; there are: {}", SECTIONS.join(", "));
                mistakes.push(Mistake { origin: origin(value), key: key.clone(), what });
            }
        }
        let settings = Self {
            box_id: box_id(root.get("box_id"), &mut mistakes),
            state_directory: state_directory(root.get("state_directory"), &mut mistakes),
            log: section(&root, "log", &mut mistakes),
            http: section(&root, "http", &mut mistakes),
            capture: section(&root, "capture", &mut mistakes),
            snapshots: section(&root, "snapshots", &mut mistakes),
            cameras: cameras(&root, &mut mistakes),
            units: section(&root, "units", &mut mistakes),
            models: models(&root, &mut mistakes),
            zones: list(&root, "zones", &[("name", "stand-in")], &mut mistakes),
            mqtt: section(&root, "mqtt", &mut mistakes),
            tracking: section(&root, "tracking", &mut mistakes),
            outbox: section(&root, "outbox", &mut mistakes),
            sandbox: section(&root, "sandbox", &mut mistakes),
            rekognition: section(&root, "rekognition", &mut mistakes),
            access_keys: list(&root, "access_keys", &[("access_key_id", "stand-in")], &mut mistakes),
            buckets: list(&root, "buckets", &[("name", "stand-in"), ("directory", "/")], &mut mistakes),
        };
        let origin_of = |key: &str| find_origin(&root, key);
        mistakes.extend(check::check(&settings).into_iter().map(|(key, what)| Mistake {
            origin: origin_of(&key),
            key,
            what,
        }));
        if mistakes.is_empty() { Ok(settings) } else { Err(SettingsErrors(mistakes)) }
    }
}

/// `OCELLI_MQTT__HOST` is a setting, `OCELLI_CONFIG_FILE` is not.
fn is_setting(name: &str) -> bool {
    ["OCELLI_BOX_ID", "OCELLI_STATE_DIRECTORY"].contains(&name) || (name.starts_with("OCELLI_") && name.contains("__"))
}

fn read(files: &[PathBuf], environment: HashMap<String, String>) -> Result<HashMap<String, Value>, SettingsErrors> {
    let mut mistakes = Vec::new();
    let mut builder = Config::builder();
    for path in files {
        let file = File::from(path.as_path()).format(FileFormat::Toml);
        // Each file alone first, so that each is reported.
        if let Err(error) = Config::builder().add_source(file.clone()).build() {
            let what = if path.exists() { error.to_string() } else { "there is no such file".to_owned() };
            mistakes.push(Mistake { origin: path.display().to_string(), key: String::new(), what });
        }
        builder = builder.add_source(file);
    }
    if !mistakes.is_empty() {
        return Err(SettingsErrors(mistakes));
    }
    let variables = Environment::with_prefix("OCELLI").prefix_separator("_").separator("__").source(Some(environment));
    let root = builder.add_source(variables).build().and_then(|merged| merged.collect());
    root.map_err(|error| {
        let what = error.to_string();
        SettingsErrors(vec![Mistake { origin: "the settings".into(), key: String::new(), what }])
    })
}

/// Where a value stands; a table stands where its first value does.
pub(super) fn origin(value: &Value) -> String {
    known_origin(value).unwrap_or("the environment").to_owned()
}

fn known_origin(value: &Value) -> Option<&str> {
    value.origin().or_else(|| match &value.kind {
        ValueKind::Table(table) => table.values().find_map(known_origin),
        ValueKind::Array(list) => list.iter().find_map(known_origin),
        _ => None,
    })
}

/// A section; keys that are wrong are reported and left out.
fn section<T: DeserializeOwned + Default>(root: &HashMap<String, Value>, name: &str, mistakes: &mut Vec<Mistake>) -> T {
    let Some(value) = root.get(name) else { return T::default() };
    let found = try_values::<T>(value, name, &[], mistakes);
    found.unwrap_or_default()
}

fn cameras(root: &HashMap<String, Value>, mistakes: &mut Vec<Mistake>) -> Vec<CameraSettings> {
    let mut cameras: Vec<CameraSettings> =
        list(root, "cameras", &[("id", "stand-in"), ("url", "rtsp://camera/")], mistakes);
    for (index, camera) in cameras.iter_mut().enumerate() {
        if let Err(what) = take_credentials_from_url(camera) {
            let key = format!("cameras[{index}].url");
            mistakes.push(Mistake { origin: find_origin(root, &key), key, what });
        }
    }
    cameras
}

/// Without any, the default detector runs.
fn models(root: &HashMap<String, Value>, mistakes: &mut Vec<Mistake>) -> Vec<ModelSettings> {
    match root.contains_key("models") {
        true => list(root, "models", &[("name", "stand-in")], mistakes),
        false => vec![ModelSettings::default()],
    }
}

/// A list of tables. `needed` are the keys without a default.
fn list<T: DeserializeOwned>(
    root: &HashMap<String, Value>,
    name: &str,
    needed: &[(&str, &str)],
    mistakes: &mut Vec<Mistake>,
) -> Vec<T> {
    let Some(value) = root.get(name) else { return Vec::new() };
    let ValueKind::Array(list) = &value.kind else {
        let what = format!("this is a list: begin each with [[{name}]]");
        mistakes.push(Mistake { origin: origin(value), key: name.into(), what });
        return Vec::new();
    };
    let of = |(index, value)| try_values(value, &format!("{name}[{index}]"), needed, mistakes);
    list.iter().enumerate().filter_map(of).collect()
}

/// Tries each value of a section alone, then all that are right together.
/// `needed` are the keys without a default, with a value that stands in so that the others can be checked.
fn try_values<T: DeserializeOwned>(
    value: &Value,
    name: &str,
    needed: &[(&str, &str)],
    mistakes: &mut Vec<Mistake>,
) -> Option<T> {
    let ValueKind::Table(table) = &value.kind else {
        let what = format!("this is a section: write [{name}]");
        mistakes.push(Mistake { origin: origin(value), key: name.to_owned(), what });
        return None;
    };
    let template: config::Map<String, Value> =
        needed.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
    let mut right = template.clone();
    for (path, leaf) in leaves(table, &mut Vec::new()) {
        let mut alone = template.clone();
        insert(&mut alone, &path, leaf.clone());
        match Value::from(alone).try_deserialize::<T>() {
            Ok(_) => insert(&mut right, &path, leaf.clone()),
            Err(error) => {
                let key = format!("{name}.{}", path.join("."));
                mistakes.push(Mistake { origin: origin(&leaf), key, what: in_words(&error) });
            }
        }
    }
    for (key, _) in needed {
        if !table.contains_key(*key) {
            let what = "is missing".to_owned();
            mistakes.push(Mistake { origin: origin(value), key: format!("{name}.{key}"), what });
        }
    }
    Value::from(right).try_deserialize().ok()
}

/// Serde's words without the path, which is named beside them.
fn in_words(error: &config::ConfigError) -> String {
    let text = error.to_string();
    text.split(" for key ").next().unwrap_or(&text).to_owned()
}

/// Every value that is no table, with its path.
fn leaves(table: &config::Map<String, Value>, path: &mut Vec<String>) -> Vec<(Vec<String>, Value)> {
    let mut found = Vec::new();
    for (key, value) in table {
        path.push(key.clone());
        match &value.kind {
            ValueKind::Table(inner) if !inner.is_empty() => found.extend(leaves(inner, path)),
            _ => found.push((path.clone(), value.clone())),
        }
        path.pop();
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn insert(table: &mut config::Map<String, Value>, path: &[String], leaf: Value) {
    match path {
        [] => {}
        [key] => drop(table.insert(key.clone(), leaf)),
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| Value::from(config::Map::<String, Value>::new()));
            if let ValueKind::Table(inner) = &mut inner.kind {
                insert(inner, rest, leaf);
            }
        }
    }
}

/// The file in which `mqtt.port` or `cameras[1].fps` stands; the first one for a key that stands nowhere.
fn find_origin(root: &HashMap<String, Value>, key: &str) -> String {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let name = section.split('[').next().unwrap_or(section);
    let Some(mut value) = root.get(name) else { return "the defaults".to_owned() };
    if let (ValueKind::Array(list), Some((_, index))) = (&value.kind, section.split_once('[')) {
        let index = index.trim_end_matches(']').parse::<usize>().ok();
        value = index.and_then(|index| list.get(index)).unwrap_or(value);
    }
    for part in rest.split('.').filter(|part| !part.is_empty()) {
        let ValueKind::Table(table) = &value.kind else { break };
        let Some(inner) = table.get(part) else { break };
        value = inner;
    }
    origin(value)
}

#[cfg(test)]
mod tests;
