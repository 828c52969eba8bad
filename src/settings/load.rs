//! Reads the settings from files and the environment.

use crate::camera::settings::CameraSettings;
use crate::settings::Settings;
use crate::settings::check;
use crate::settings::mistake::{Mistake, SettingsErrors};
use crate::settings::sections::Sections;
use crate::settings::top_level::{BOX_ID, STATE_DIRECTORY, box_id, state_directory};
use crate::settings::url_credentials::take_credentials_from_url;
use crate::supervisor::settings::ModelSettings;
use config::{Config, Environment, File, FileFormat, Source, Value};
use std::collections::HashMap;
use std::path::PathBuf;

/// The prefix of every environment variable that is a setting.
const PREFIX: &str = "OCELLI";

impl Settings {
    /// Reads `files` and then the variables `OCELLI_SECTION__KEY`. Later files override earlier ones, variables override all.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake.
    pub fn load(files: &[PathBuf]) -> Result<Self, SettingsErrors> {
        let environment = std::env::vars().filter(|(name, _)| is_setting(name)).collect();
        Self::load_with(files, environment)
    }

    /// [`Self::load`] with a given environment.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake.
    pub fn load_with(files: &[PathBuf], environment: HashMap<String, String>) -> Result<Self, SettingsErrors> {
        let mut sections = Sections::new(read(files, environment)?, files);
        // The only list of the sections. A section that is not read here is reported as unknown.
        let settings = Self {
            box_id: box_id(&mut sections),
            state_directory: state_directory(&mut sections),
            log: sections.section("log"),
            http: sections.section("http"),
            rekognition: sections.section("rekognition"),
            access_keys: sections.list("access_keys", &[("access_key_id", "stand-in")]).unwrap_or_default(),
            buckets: sections.list("buckets", &[("name", "stand-in"), ("directory", "/")]).unwrap_or_default(),
            capture: sections.section("capture"),
            snapshots: sections.section("snapshots"),
            cameras: cameras(&mut sections),
            units: sections.section("units"),
            // Without any model, the default detector runs.
            models: sections.list("models", &[("name", "stand-in")]).unwrap_or_else(|| vec![ModelSettings::default()]),
            zones: sections.list("zones", &[("name", "stand-in")]).unwrap_or_default(),
            mqtt: sections.section("mqtt"),
            tracking: sections.section("tracking"),
            outbox: sections.section("outbox"),
            sandbox: sections.section("sandbox"),
        };
        for (key, what) in check::check(&settings) {
            sections.report(key, what);
        }
        let mistakes = sections.into_mistakes();
        if mistakes.is_empty() { Ok(settings) } else { Err(SettingsErrors(mistakes)) }
    }
}

fn cameras(sections: &mut Sections) -> Vec<CameraSettings> {
    let required = [("id", "stand-in"), ("url", "rtsp://camera/")];
    let mut cameras: Vec<CameraSettings> = sections.list("cameras", &required).unwrap_or_default();
    for (index, camera) in cameras.iter_mut().enumerate() {
        if let Err(what) = take_credentials_from_url(camera) {
            sections.report(format!("cameras[{index}].url"), what);
        }
    }
    cameras
}

/// `OCELLI_MQTT__HOST` is a setting, `OCELLI_CONFIG_FILE` is not.
fn is_setting(name: &str) -> bool {
    let Some(key) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')) else { return false };
    key.contains("__") || [BOX_ID, STATE_DIRECTORY].iter().any(|name| key == name.to_ascii_uppercase())
}

fn read(files: &[PathBuf], environment: HashMap<String, String>) -> Result<HashMap<String, Value>, SettingsErrors> {
    let mut mistakes = Vec::new();
    let mut builder = Config::builder();
    for path in files {
        let file = File::from(path.as_path()).format(FileFormat::Toml);
        // Each file is parsed alone first, so that the syntax errors of all files are reported.
        if let Err(error) = Config::builder().add_source(file.clone()).build() {
            let what = match std::fs::File::open(path) {
                Ok(_) => error.to_string(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                Err(error) => format!("the file cannot be read: {error}; run ocelli as a user who may read it"),
            };
            mistakes.push(Mistake { origin: path.display().to_string(), key: String::new(), what });
        }
        builder = builder.add_source(file);
    }
    if !mistakes.is_empty() {
        return Err(SettingsErrors(mistakes));
    }
    let variables = Environment::with_prefix(PREFIX).prefix_separator("_").separator("__").source(Some(environment));
    let root = builder.add_source(variables).build().and_then(|merged| merged.collect());
    root.map_err(|error| {
        let what = error.to_string();
        SettingsErrors(vec![Mistake { origin: "the settings".into(), key: String::new(), what }])
    })
}

#[cfg(test)]
mod tests;
