//! Reads each section of the settings into its struct.
//!
//! Serde stops at the first mistake, but an operator wants to see all of them. So each value is first read alone, in a
//! section that has defaults otherwise.

use crate::settings::hints;
use crate::settings::merged::Merged;
use crate::settings::mistake::{Finding, Mistake};
use crate::settings::place::{Place, is_variable};
use crate::settings::places::Places;
use crate::settings::serde_words::{in_plain_words, with_range};
use crate::settings::strict_types;
use config::{Value, ValueKind};
use serde::de::DeserializeOwned;

/// The merged settings, and the mistakes found in them so far.
#[derive(Debug)]
pub(super) struct Sections {
    places: Places,
    /// Every section that was read. Any other section in the settings is a mistake.
    known: Vec<&'static str>,
    mistakes: Vec<Mistake>,
}

impl Sections {
    pub(super) fn new(merged: Merged) -> Self {
        Self { places: Places::new(merged), known: Vec::new(), mistakes: Vec::new() }
    }

    /// Returns the value of a top-level key.
    pub(super) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.places.value(name).cloned()
    }

    /// Reads a section. Invalid values are reported and replaced by their defaults.
    pub(super) fn section<T: DeserializeOwned + Default>(&mut self, name: &'static str) -> T {
        let value = self.value(name);
        value.and_then(|value| self.read_table(&value, name, &[])).unwrap_or_default()
    }

    /// Reads a list of sections; `None` if the settings do not have it. `required` has the keys without a default, first
    /// that of the entry's name.
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
        let name_key = required.first().map_or("name", |(key, _)| *key);
        self.places.name_entries(name, name_key);
        let entries = list.iter().enumerate();
        Some(
            entries
                .filter_map(|(index, value)| {
                    // Two entries without a name are two mistakes, and not one name twice.
                    let own = format!("stand-in-{index}");
                    let mut required = required.to_vec();
                    if let Some((_, stand_in)) = required.first_mut() {
                        *stand_in = &own;
                    }
                    self.read_table(value, &format!("{name}[{index}]"), &required)
                })
                .collect(),
        )
    }

    /// Adds a mistake in a value that is well-formed, or a range to the description of one that is not. In `key` and
    /// in a mistake, entries of lists are given by their index, and shown by their name.
    pub(super) fn report(&mut self, key: impl AsRef<str>, finding: impl Into<Finding>) {
        let key = key.as_ref();
        match finding.into() {
            Finding::Mistake(what) => {
                let place = self.places.near(key);
                self.add(&place, key, &what);
            }
            Finding::Range { least, most } => {
                let shown = self.places.shown_key(key);
                for mistake in self.mistakes.iter_mut().filter(|mistake| mistake.key == shown) {
                    mistake.what = with_range(&mistake.what, least, most);
                }
            }
        }
    }

    /// Returns all mistakes, including unknown sections, in the order of files and lines, and where everything is set.
    pub(super) fn into_mistakes(mut self) -> (Vec<Mistake>, Places) {
        let known: Vec<&str> = self.known.clone();
        let is_unknown = |name: &&String| !known.contains(&name.as_str());
        let unknown: Vec<String> = self.places.top_level().filter(is_unknown).cloned().collect();
        for name in unknown {
            let hint = hints::unknown_section(&name, &known);
            self.report(name, format!("unknown section{hint}; the sections are: {}", known.join(", ")));
        }
        let mut mistakes = self.mistakes;
        mistakes.sort_by(|a, b| (&a.origin, a.line, &a.key).cmp(&(&b.origin, b.line, &b.key)));
        (mistakes, self.places)
    }

    fn add(&mut self, place: &Place, key: &str, what: &str) {
        self.mistakes.push(Mistake::at(place, self.places.shown_key(key), self.places.shown_text(what)));
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
            let alone = within(&stand_ins, &path, leaf.clone());
            let mistake = match alone.clone().try_deserialize::<T>() {
                Ok(_) if is_variable(leaf.origin()) => None,
                Ok(_) => strict_types::mistake::<T>(&leaf, |leaf| within(&stand_ins, &path, leaf)),
                Err(error) => Some(in_plain_words::<T>(&error, alone)),
            };
            match mistake {
                None => insert(&mut good, &path, leaf),
                Some(what) => {
                    let key = format!("{name}.{}", path.join("."));
                    let origin = format!(" in {}", leaf.origin().unwrap_or_default());
                    let what = hints::completed(&what.replace(&origin, ""), name, &path);
                    self.add(&self.places.of_value(&leaf, &key), &key, &what);
                }
            }
        }
        for (key, _) in required.iter().filter(|(key, _)| !table.contains_key(*key)) {
            self.report(format!("{name}.{key}"), "is missing");
        }
        Value::from(good).try_deserialize().ok()
    }
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

/// A section with this value at a path, and stand-ins for the keys without a default.
fn within(stand_ins: &config::Map<String, Value>, path: &[String], leaf: Value) -> Value {
    let mut table = stand_ins.clone();
    insert(&mut table, path, leaf);
    Value::from(table)
}

fn insert(table: &mut config::Map<String, Value>, path: &[String], leaf: Value) {
    match path {
        [] => {}
        [key] => drop(table.insert(key.clone(), leaf)),
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| Value::from(config::Map::<String, Value>::new()));
            // A table may stand where a value is wanted, and must not hide behind its stand-in.
            if !matches!(inner.kind, ValueKind::Table(_)) {
                *inner = Value::from(config::Map::<String, Value>::new());
            }
            if let ValueKind::Table(inner) = &mut inner.kind {
                insert(inner, rest, leaf);
            }
        }
    }
}
