//! Reads each section of the settings into its struct.
//!
//! Serde stops at the first mistake, but an operator wants to see all of them. So each value is first read alone, in a
//! section that has defaults otherwise.

use crate::settings::mistake::{Finding, Mistake};
use crate::settings::serde_words::{in_plain_words, with_range};
use config::{Value, ValueKind};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::PathBuf;

/// The merged settings, and the mistakes found in them so far.
#[derive(Debug)]
pub(super) struct Sections {
    root: HashMap<String, Value>,
    /// The paths of the files, as given.
    files: Vec<PathBuf>,
    /// Every section that was read. Any other section in the settings is a mistake.
    known: Vec<&'static str>,
    mistakes: Vec<Mistake>,
}

impl Sections {
    pub(super) fn new(root: HashMap<String, Value>, files: &[PathBuf]) -> Self {
        Self { root, files: files.to_vec(), known: Vec::new(), mistakes: Vec::new() }
    }

    /// Returns the value of a top-level key.
    pub(super) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.root.get(name).cloned()
    }

    /// Reads a section. Invalid values are reported and replaced by their defaults.
    pub(super) fn section<T: DeserializeOwned + Default>(&mut self, name: &'static str) -> T {
        let value = self.value(name);
        value.and_then(|value| self.read_table(&value, name, &[])).unwrap_or_default()
    }

    /// Reads a list of sections; `None` if the settings do not have it. `required` has the keys without a default.
    pub(super) fn list<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        required: &[(&str, &str)],
    ) -> Option<Vec<T>> {
        let value = self.value(name)?;
        let ValueKind::Array(list) = &value.kind else {
            self.report(name, format!("must be a list: start each entry with [[{name}]]"));
            return Some(Vec::new());
        };
        let entries = list.iter().enumerate();
        Some(
            entries
                .filter_map(|(index, value)| self.read_table(value, &format!("{name}[{index}]"), required))
                .collect(),
        )
    }

    /// Adds a mistake in a value that is well-formed, or a range to the description of one that is not.
    pub(super) fn report(&mut self, key: impl Into<String>, finding: impl Into<Finding>) {
        let key = key.into();
        match finding.into() {
            Finding::Mistake(what) => self.mistakes.push(Mistake { origin: self.origin_of(&key), key, what }),
            Finding::Range { least, most } => {
                for mistake in self.mistakes.iter_mut().filter(|mistake| mistake.key == key) {
                    mistake.what = with_range(&mistake.what, least, most);
                }
            }
        }
    }

    /// Returns all mistakes, including unknown sections.
    pub(super) fn into_mistakes(mut self) -> Vec<Mistake> {
        let unknown = self.root.iter().filter(|(name, _)| !self.known.contains(&name.as_str()));
        let what = format!("unknown section; the sections are: {}", self.known.join(", "));
        let unknown = unknown.map(|(name, value)| Mistake {
            origin: self.shown_origin(value),
            key: name.clone(),
            what: what.clone(),
        });
        let unknown: Vec<Mistake> = unknown.collect();
        self.mistakes.extend(unknown);
        self.mistakes
    }

    /// Reads each value of a table alone, then all valid ones together. `required` has the keys without a default, each with
    /// a value that stands in for it while other keys are read.
    fn read_table<T: DeserializeOwned>(&mut self, value: &Value, name: &str, required: &[(&str, &str)]) -> Option<T> {
        let ValueKind::Table(table) = &value.kind else {
            self.report(name, format!("must be a section: write [{name}]"));
            return None;
        };
        let stand_ins: config::Map<String, Value> =
            required.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
        let mut good = stand_ins.clone();
        for (path, leaf) in leaves(table, &mut Vec::new()) {
            let mut alone = stand_ins.clone();
            insert(&mut alone, &path, leaf.clone());
            let alone = Value::from(alone);
            match alone.clone().try_deserialize::<T>() {
                Ok(_) => insert(&mut good, &path, leaf.clone()),
                Err(error) => {
                    let origin = self.shown_origin(&leaf);
                    let key = format!("{name}.{}", path.join("."));
                    self.mistakes.push(Mistake { origin, key, what: in_plain_words::<T>(&error, alone) });
                }
            }
        }
        for (key, _) in required.iter().filter(|(key, _)| !table.contains_key(*key)) {
            self.report(format!("{name}.{key}"), "is missing");
        }
        Value::from(good).try_deserialize().ok()
    }

    /// Returns the file that sets a key such as `mqtt.port` or `cameras[1].fps`. A key that no file sets counts as set where
    /// its section is.
    fn origin_of(&self, key: &str) -> String {
        let (section, rest) = key.split_once('.').unwrap_or((key, ""));
        let name = section.split('[').next().unwrap_or(section);
        let Some(mut value) = self.root.get(name) else { return "the defaults".to_owned() };
        if let (ValueKind::Array(list), Some((_, index))) = (&value.kind, section.split_once('[')) {
            let index = index.trim_end_matches(']').parse::<usize>().ok();
            value = index.and_then(|index| list.get(index)).unwrap_or(value);
        }
        for part in rest.split('.').filter(|part| !part.is_empty()) {
            let ValueKind::Table(table) = &value.kind else { break };
            let Some(inner) = table.get(part) else { break };
            value = inner;
        }
        self.shown_origin(value)
    }

    /// Returns the path of the file as given: the library makes it relative to the working directory. Values from the
    /// environment have no origin.
    fn shown_origin(&self, value: &Value) -> String {
        let Some(origin) = origin(value) else { return "the environment".to_owned() };
        let real = std::fs::canonicalize(origin).ok();
        let given = self.files.iter().find(|file| real.is_some() && std::fs::canonicalize(file).ok() == real);
        given.map_or_else(|| origin.to_owned(), |file| file.display().to_string())
    }
}

/// The file that sets a value; for a table or list, that of its first value.
fn origin(value: &Value) -> Option<&str> {
    value.origin().or_else(|| match &value.kind {
        ValueKind::Table(table) => table.values().find_map(origin),
        ValueKind::Array(list) => list.iter().find_map(origin),
        _ => None,
    })
}

/// Returns every value that is not a table, with its path.
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
