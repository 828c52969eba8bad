//! Shows the settings that are in force: each value with the file and line that sets it. Secrets are masked.

use crate::settings::mistake::SettingsErrors;
use crate::settings::place::Place;
use crate::settings::places::Places;
use crate::settings::reference::{self, ReferenceKey};
use crate::settings::{Settings, toml_text};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::{Display, Formatter};
use std::path::PathBuf;

/// The column of places in the text form.
const PLACE_COLUMN: usize = 48;

/// Every setting that is in force. The text form is TOML with the places as comments.
#[derive(Debug, Default)]
pub struct InForce {
    tables: Vec<Table>,
}

/// A section, or an entry of a list.
#[derive(Debug)]
struct Table {
    /// As in a file; empty for keys outside of sections.
    header: String,
    /// What comes before each key, such as `cameras[yard].scene.`.
    prefix: String,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    key: String,
    /// Null: not set, and there is no default.
    value: Value,
    place: Place,
}

impl InForce {
    /// Reads the settings as [`Settings::load`] does.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake: then nothing is in force.
    pub fn read(files: &[PathBuf], environment: HashMap<String, String>) -> Result<Self, SettingsErrors> {
        let (settings, places) = Settings::load_placed(files, environment)?;
        let Ok(Value::Object(all)) = serde_json::to_value(&settings) else { return Ok(Self::default()) };
        let mut walk = Walk { places: &places, reference: reference::keys(), tables: Vec::new() };
        walk.table(&all, "", "", &Path::default());
        Ok(Self { tables: walk.tables })
    }

    /// One object for each setting: `key`, `value`, `from` (`file`, `environment` or `default`), and `file` and `line`, or
    /// `variable`.
    pub fn to_json(&self) -> Value {
        let settings = self.tables.iter().flat_map(|table| table.settings.iter().map(move |setting| (table, setting)));
        settings.map(|(table, setting)| setting.to_json(&table.prefix)).collect()
    }
}

impl Setting {
    fn to_json(&self, prefix: &str) -> Value {
        let key = format!("{prefix}{}", self.key);
        match &self.place {
            Place::Line { file, line } => {
                json!({"key": key, "value": self.value, "from": "file", "file": file, "line": line})
            }
            Place::Variable(name) => {
                json!({"key": key, "value": self.value, "from": "environment", "variable": name})
            }
            Place::Default => json!({"key": key, "value": self.value, "from": "default"}),
        }
    }
}

impl Display for InForce {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let mut is_first = true;
        for table in &self.tables {
            let mut set = table.settings.iter().filter(|setting| !setting.value.is_null()).peekable();
            if set.peek().is_none() {
                continue;
            }
            if !table.header.is_empty() {
                writeln!(out, "{}{}", if is_first { "" } else { "\n" }, table.header)?;
            }
            is_first = false;
            for Setting { key, value, place } in set {
                let line = format!("{} = {}", toml_text::key(key), toml_text::value(value));
                writeln!(out, "{line:<PLACE_COLUMN$} # {place}")?;
            }
        }
        Ok(())
    }
}

/// The key of a table: `cameras[1].scene` and `cameras[yard].scene`.
#[derive(Default)]
struct Path {
    indexed: String,
    named: String,
}

impl Path {
    /// An entry of a list, named by its id or name.
    fn entry(&self, index: usize, entry: &Map<String, Value>) -> Self {
        let name = ["id", "name", "access_key_id"].iter().find_map(|key| entry.get(*key)?.as_str());
        let named = name.map_or_else(|| format!("{}[{index}]", self.named), |name| format!("{}[{name}]", self.named));
        Self { indexed: format!("{}[{index}]", self.indexed), named }
    }
}

fn below(outer: &str, key: &str) -> String {
    if outer.is_empty() { key.to_owned() } else { format!("{outer}.{key}") }
}

/// Collects the tables, in the order of the reference.
struct Walk<'a> {
    places: &'a Places,
    reference: Vec<ReferenceKey>,
    tables: Vec<Table>,
}

impl Walk<'_> {
    /// Adds a table and those inside it. `section` is its name in the reference.
    fn table(&mut self, table: &Map<String, Value>, header: &str, section: &str, path: &Path) {
        let mut entries: Vec<(&String, &Value)> = table.iter().collect();
        entries.sort_by_key(|(key, _)| self.rank(section, key));
        let is_table = |value: &Value| match value {
            Value::Object(_) => true,
            // In a section, a list of tables is shown in one line.
            Value::Array(list) => section.is_empty() && list.first().is_some_and(Value::is_object),
            _ => false,
        };
        let own = entries.iter().filter(|entry| !is_table(entry.1)).map(|(key, value)| Setting {
            key: (*key).clone(),
            value: rounded(value),
            place: self.place(&below(&path.indexed, key), value),
        });
        let settings: Vec<Setting> = own.collect();
        let prefix = below(&path.named, "");
        self.tables.push(Table { header: header.to_owned(), prefix, settings });
        for (key, value) in entries {
            let section = below(section, key);
            let path = Path { indexed: below(&path.indexed, key), named: below(&path.named, key) };
            match value {
                Value::Object(inner) => self.table(inner, &format!("[{section}]"), &section, &path),
                Value::Array(list) if is_table(value) => {
                    let entries = list.iter().enumerate();
                    for (index, entry) in entries.filter_map(|(index, entry)| Some((index, entry.as_object()?))) {
                        self.table(entry, &format!("[[{section}]]"), &section, &path.entry(index, entry));
                    }
                }
                _ => {}
            }
        }
    }

    fn rank(&self, section: &str, key: &str) -> usize {
        let place = self.reference.iter().position(|known| known.section == section && known.key == key);
        place.unwrap_or(self.reference.len())
    }

    fn place(&self, key: &str, value: &Value) -> Place {
        let place = self.places.of(key);
        // User and password may be in the URL, from which they were taken.
        let (camera, login) = key.rsplit_once('.').and_then(|(login, _)| login.rsplit_once('.')).unwrap_or_default();
        let url = match login {
            "credentials" => Some("url"),
            "detect_credentials" => Some("detect_url"),
            _ => None,
        };
        match (place, url) {
            (Place::Default, Some(url)) if !value.is_null() => self.places.of(&format!("{camera}.{url}")),
            (place, _) => place,
        }
    }
}

/// Numbers of single precision as they were written: 0.2, not 0.20000000298.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(rounded).collect(),
        Value::Object(table) => table.iter().map(|(key, value)| (key.clone(), rounded(value))).collect(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or(Value::Null, |number| json!(shortest(number)))
        }
        value => value.clone(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a number that single precision does not hold is left as it is")]
fn shortest(number: f64) -> f64 {
    let single = number as f32;
    if f64::from(single) == number { single.to_string().parse().unwrap_or(number) } else { number }
}

#[cfg(test)]
mod tests;
