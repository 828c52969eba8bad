//! Merges the files and the environment. Tables are merged key by key, and a later file overrides an earlier one. Lists of
//! tables, such as `[[cameras]]`, in `conf.d` and `settings.d` are appended to those before, so that each file can hold one
//! camera.

use crate::settings::files::SettingsFiles;
use crate::settings::mistake::{Mistake, SettingsErrors};
use crate::settings::place::Place;
use crate::settings::toml_values::{self, TomlValues};
use config::{Config, ConfigError, Environment, Map, Source, Value, ValueKind};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The prefix of every environment variable that is a setting.
const PREFIX: &str = "OCELLI";

/// The keys outside of sections.
pub(super) const BOX_ID: &str = "box_id";
pub(super) const STATE_DIRECTORY: &str = "state_directory";

/// The state directory if no setting names one.
pub(super) const USUAL_STATE_DIRECTORY: &str = "state";

/// The merged settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    /// The top-level keys. The origin of each value inside says its file and line.
    pub(super) root: HashMap<String, Value>,
    /// Where each top-level key begins, in the first file that has it.
    pub(super) headers: HashMap<String, Place>,
    /// As far as it is known without the files in it.
    pub(super) state_directory: PathBuf,
}

/// The environment of this process. What is not Unicode is replaced, so that it is reported and not overlooked.
pub fn environment() -> HashMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// Reads and merges everything.
///
/// # Errors
/// [`SettingsErrors`] with every file that cannot be read or parsed.
pub(super) fn merge(files: &SettingsFiles, environment: HashMap<String, String>) -> Result<Merged, SettingsErrors> {
    let (mut layers, mut mistakes) = (Layers::default(), Vec::new());
    for path in files.main() {
        layers.read(files, path, &mut mistakes);
    }
    layers.appends = true;
    for path in files.beside_main(&mut mistakes) {
        layers.read(files, &path, &mut mistakes);
    }
    let state_directory = layers.state_directory(&environment);
    for path in files.of_programs(&state_directory, &mut mistakes) {
        layers.read_of_programs(files, &path, &mut mistakes);
    }
    if !mistakes.is_empty() {
        return Err(SettingsErrors(mistakes));
    }
    let mut builder = Config::builder();
    for layer in layers.read {
        builder = builder.add_source(layer);
    }
    let environment = environment.into_iter().filter(|(name, _)| is_setting(name)).collect();
    let variables = Environment::with_prefix(PREFIX).prefix_separator("_").separator("__").source(Some(environment));
    let root = builder.add_source(variables).build().and_then(|merged| merged.collect());
    let root = root.map_err(|error| {
        let (origin, what) = ("the settings".into(), error.to_string());
        SettingsErrors(vec![Mistake { origin, line: None, key: String::new(), what }])
    })?;
    Ok(Merged { root, headers: layers.headers, state_directory })
}

/// `OCELLI_MQTT__HOST` is a setting, `OCELLI_CONFIG_FILE` is not.
fn is_setting(name: &str) -> bool {
    let Some(key) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')) else { return false };
    key.contains("__") || [BOX_ID, STATE_DIRECTORY].iter().any(|name| key == name.to_ascii_uppercase())
}

/// The values of a file, as a source of the library that merges.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The files read so far.
#[derive(Debug, Default)]
struct Layers {
    read: Vec<Layer>,
    headers: HashMap<String, Place>,
    /// The lists of tables in force so far.
    lists: HashMap<String, Vec<Value>>,
    /// Lists of further files are appended, not replaced.
    appends: bool,
}

impl Layers {
    fn read(&mut self, files: &SettingsFiles, path: &Path, mistakes: &mut Vec<Mistake>) {
        if let Some(parsed) = parse(files, path, mistakes) {
            self.add(path, parsed);
        }
    }

    /// The directory is found by `state_directory`, so a file in it cannot set that.
    fn read_of_programs(&mut self, files: &SettingsFiles, path: &Path, mistakes: &mut Vec<Mistake>) {
        let Some(parsed) = parse(files, path, mistakes) else { return };
        match parsed.lines.get(STATE_DIRECTORY) {
            Some(line) => {
                let place = Place::Line { file: path.display().to_string(), line: *line };
                let what = "can only be set in the main file or in conf.d beside it: this file is found by it";
                mistakes.push(Mistake::at(&place, STATE_DIRECTORY, what));
            }
            None => self.add(path, parsed),
        }
    }

    fn add(&mut self, path: &Path, mut parsed: TomlValues) {
        for (name, line) in parsed.lines {
            let place = Place::Line { file: path.display().to_string(), line };
            self.headers.entry(name).or_insert(place);
        }
        for (name, value) in &mut parsed.values {
            let ValueKind::Array(entries) = &mut value.kind else { continue };
            let so_far = self.lists.entry(name.clone()).or_default();
            if self.appends {
                entries.splice(0..0, so_far.iter().cloned());
            }
            so_far.clone_from(entries);
        }
        self.read.push(Layer(parsed.values));
    }

    /// The state directory that these files and the environment set.
    fn state_directory(&self, environment: &HashMap<String, String>) -> PathBuf {
        let variable = environment.get(&format!("{PREFIX}_{}", STATE_DIRECTORY.to_ascii_uppercase())).cloned();
        let in_file = || self.read.iter().rev().find_map(|layer| layer.0.get(STATE_DIRECTORY).cloned());
        let given = variable.or_else(|| in_file().and_then(|value| value.into_string().ok()));
        given.filter(|path| !path.is_empty()).unwrap_or_else(|| USUAL_STATE_DIRECTORY.to_owned()).into()
    }
}

fn parse(files: &SettingsFiles, path: &Path, mistakes: &mut Vec<Mistake>) -> Option<TomlValues> {
    let text = match files.read(path) {
        Ok(text) => text,
        Err(what) => {
            mistakes.push(Mistake::in_file(path, None, what));
            return None;
        }
    };
    let parsed = toml_values::parse(&text, &path.display().to_string());
    let parsed = parsed.map_err(|mistake| {
        let what = format!("is not TOML: {}", mistake.what);
        mistakes.push(Mistake::in_file(path, Some(mistake.line), what));
    });
    parsed.ok()
}
