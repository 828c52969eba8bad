//! Reads the settings from files and the environment.

use crate::camera::settings::CameraSettings;
use crate::settings::Settings;
use crate::settings::check;
use crate::settings::files::SettingsFiles;
use crate::settings::merged::{Merged, environment, merge};
use crate::settings::mistake::SettingsErrors;
use crate::settings::places::Places;
use crate::settings::sections::Sections;
use crate::settings::top_level::{box_id, state_directory};
use crate::settings::url_credentials::take_credentials_from_url;
use crate::supervisor::settings::ModelSettings;
use std::collections::HashMap;
use std::path::PathBuf;

impl Settings {
    /// Reads `files`, then `conf.d/*.toml` beside the first of them and `settings.d/*.toml` in the state directory, each in
    /// the order of names, then the variables `OCELLI_SECTION__KEY`. Later ones override earlier ones.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake.
    pub fn load(files: &[PathBuf]) -> Result<Self, SettingsErrors> {
        Self::load_with(files, environment())
    }

    /// [`Self::load`] with a given environment.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake.
    pub fn load_with(files: &[PathBuf], environment: HashMap<String, String>) -> Result<Self, SettingsErrors> {
        Self::load_placed(files, environment).map(|(settings, _)| settings)
    }

    /// [`Self::load_with`], with the place of each setting.
    ///
    /// # Errors
    /// [`SettingsErrors`] with every mistake.
    pub fn load_placed(
        files: &[PathBuf],
        environment: HashMap<String, String>,
    ) -> Result<(Self, Places), SettingsErrors> {
        read(merge(&SettingsFiles::new(files), environment)?)
    }
}

/// Reads and checks the merged settings.
pub(super) fn read(merged: Merged) -> Result<(Settings, Places), SettingsErrors> {
    let mut sections = Sections::new(merged);
    // The only list of the sections. A section that is not read here is reported as unknown.
    let settings = Settings {
        box_id: box_id(&mut sections),
        state_directory: state_directory(&mut sections),
        log: sections.section("log"),
        http: sections.section("http"),
        rekognition: sections.section("rekognition"),
        access_keys: sections.list("access_keys", &[("access_key_id", "stand-in")]).unwrap_or_default(),
        buckets: sections.list("buckets", &[("name", "stand-in"), ("directory", "/")]).unwrap_or_default(),
        viewers: sections.list("viewers", &[("name", "stand-in")]).unwrap_or_default(),
        capture: sections.section("capture"),
        snapshots: sections.section("snapshots"),
        clips: sections.section("clips"),
        cameras: cameras(&mut sections),
        units: sections.section("units"),
        // Without any model, the default detector runs.
        models: sections.list("models", &[("name", "stand-in")]).unwrap_or_else(|| vec![ModelSettings::default()]),
        zones: sections.list("zones", &[("name", "stand-in")]).unwrap_or_default(),
        mqtt: sections.section("mqtt"),
        tracking: sections.section("tracking"),
        outbox: sections.section("outbox"),
        sandbox: sections.section("sandbox"),
        cluster: sections.section("cluster"),
    };
    for (key, what) in check::check(&settings) {
        sections.report(key, what);
    }
    let (mistakes, places) = sections.into_mistakes();
    if mistakes.is_empty() { Ok((settings, places)) } else { Err(SettingsErrors(mistakes)) }
}

fn cameras(sections: &mut Sections) -> Vec<CameraSettings> {
    let required = [("id", "stand-in"), ("url", "rtsp://camera/")];
    let mut cameras: Vec<CameraSettings> = sections.list("cameras", &required).unwrap_or_default();
    for (index, camera) in cameras.iter_mut().enumerate() {
        let CameraSettings { url, credentials, detect_url, detect_credentials, .. } = camera;
        if let Err(what) = take_credentials_from_url(url, credentials, "credentials") {
            sections.report(format!("cameras[{index}].url"), what);
        }
        if let Some(url) = detect_url
            && let Err(what) = take_credentials_from_url(url, detect_credentials, "detect_credentials")
        {
            sections.report(format!("cameras[{index}].detect_url"), what);
        }
    }
    cameras
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
