//! Finds the place of each setting: the file and line, or the variable, that sets it.

use crate::settings::entry_names::EntryNames;
use crate::settings::merged::Merged;
use crate::settings::place::Place;
use config::{Map, Value, ValueKind};
use std::collections::HashMap;

/// The merged settings, with the place of each value and the name of each entry of a list.
#[derive(Debug)]
pub struct Places {
    root: HashMap<String, Value>,
    headers: HashMap<String, Place>,
    names: EntryNames,
}

impl Places {
    pub(super) fn new(merged: Merged) -> Self {
        Self { root: merged.root, headers: merged.headers, names: EntryNames::default() }
    }

    /// Where a key such as `mqtt.port` or `cameras[1].fps` is set; [`Place::Default`] if it is not.
    pub fn of(&self, key: &str) -> Place {
        match self.find(key) {
            (Some(value), true) => self.of_value(value, key),
            _ => Place::Default,
        }
    }

    /// Where a key is set. A key that is not set counts as set where its section is.
    pub fn near(&self, key: &str) -> Place {
        self.find(key).0.map_or(Place::Default, |value| self.of_value(value, key))
    }

    /// A key with the name of an entry instead of its index: `cameras[yard].fps` for `cameras[1].fps`.
    pub fn shown_key(&self, key: &str) -> String {
        self.names.in_key(key)
    }

    /// A text in which each entry of a list is named, not numbered. Where two entries have the same name, their places are
    /// added.
    pub fn shown_text(&self, text: &str) -> String {
        self.names.in_text(text)
    }

    /// The names of all top-level keys.
    pub(super) fn top_level(&self) -> impl Iterator<Item = &String> {
        self.root.keys()
    }

    /// The value of a top-level key.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.root.get(name)
    }

    /// Where the entry of a list with this name begins.
    pub(super) fn entry(&self, list: &str, name: &str) -> Option<&Place> {
        self.names.find(list, name)
    }

    /// The names of the entries of a list.
    pub(super) fn entries(&self, list: &str) -> Vec<&str> {
        self.names.all(list)
    }

    /// Names the entries of a list by the value of `name_key` in each.
    pub(super) fn name_entries(&mut self, list: &str, name_key: &str) {
        let Some(ValueKind::Array(entries)) = self.root.get(list).map(|value| &value.kind) else { return };
        for entry in entries {
            let name = match &entry.kind {
                ValueKind::Table(table) => table.get(name_key).and_then(|value| value.clone().into_string().ok()),
                _ => None,
            };
            let place = first_place(entry, list).unwrap_or(Place::Default);
            self.names.add(list, name.filter(|name| !name.is_empty()), place);
        }
    }

    /// The place of a value; of a section, which has none of its own once it is merged, that of its header or first value.
    pub(super) fn of_value(&self, value: &Value, key: &str) -> Place {
        let header = self.headers.get(key).filter(|_| value.origin().is_none()).cloned();
        header.or_else(|| first_place(value, key)).unwrap_or(Place::Default)
    }

    /// Finds the value of a key, or of the innermost section around it that exists, and says whether it is the value itself.
    fn find(&self, key: &str) -> (Option<&Value>, bool) {
        let (section, mut rest) = key.split_once('.').unwrap_or((key, ""));
        let (name, index) = section.split_once('[').map_or((section, None), |(name, index)| (name, Some(index)));
        let Some(mut value) = self.root.get(name) else { return (None, false) };
        if let (ValueKind::Array(list), Some(index)) = (&value.kind, index) {
            let entry = index.trim_end_matches(']').parse::<usize>().ok().and_then(|index| list.get(index));
            let Some(entry) = entry else { return (Some(value), false) };
            value = entry;
        }
        while !rest.is_empty() {
            let ValueKind::Table(table) = &value.kind else { return (Some(value), false) };
            // The key of a table, such as a label, may contain a dot.
            if let Some(inner) = table.get(rest) {
                return (Some(inner), true);
            }
            let (part, after) = rest.split_once('.').unwrap_or((rest, ""));
            let Some(inner) = table.get(part) else { return (Some(value), false) };
            (value, rest) = (inner, after);
        }
        (Some(value), true)
    }
}

fn first_place(value: &Value, key: &str) -> Option<Place> {
    let of_table = |table: &Map<String, Value>| {
        table.iter().filter_map(|(name, value)| first_place(value, &format!("{key}.{name}"))).min()
    };
    value.origin().map(|origin| Place::of_origin(origin, key)).or_else(|| match &value.kind {
        ValueKind::Table(table) => of_table(table),
        ValueKind::Array(list) => list.iter().filter_map(|value| first_place(value, key)).min(),
        _ => None,
    })
}
