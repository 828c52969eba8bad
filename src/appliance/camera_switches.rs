//! Which cameras a command has switched on or off, over restarts.

use crate::camera::settings::CameraSettings;
use crate::os::atomic_file;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What a command wanted, against these settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Switch {
    configured: bool,
    enabled: bool,
}

/// The switches of all cameras that a command has ever switched.
#[derive(Debug)]
pub(super) struct CameraSwitches {
    path: PathBuf,
    switches: BTreeMap<String, Switch>,
}

impl CameraSwitches {
    /// What was kept in `directory`.
    pub(super) fn load(directory: &Path) -> Self {
        let path = directory.join("cameras.json");
        let read = std::fs::read(&path).and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::other));
        let switches = read.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(file = %path.display(), %error, "the cameras' switches cannot be read; the settings count");
            }
            BTreeMap::new()
        });
        Self { path, switches }
    }

    /// The settings of a camera with what a command wanted, if the settings have not changed since.
    pub(super) fn apply(&self, settings: &CameraSettings) -> CameraSettings {
        let switch = self.switches.get(settings.id.as_str()).filter(|switch| switch.configured == settings.enabled);
        CameraSettings { enabled: switch.map_or(settings.enabled, |switch| switch.enabled), ..settings.clone() }
    }

    /// Keeps what a command wants of a camera of the settings `configured`.
    pub(super) fn set(&mut self, configured: &CameraSettings, enabled: bool) {
        let id = configured.id.to_string();
        self.switches.insert(id, Switch { configured: configured.enabled, enabled });
        let written = serde_json::to_vec_pretty(&self.switches).map_err(io::Error::other);
        if let Err(error) = written.and_then(|bytes| atomic_file::replace(&self.path, &bytes)) {
            tracing::error!(file = %self.path.display(), %error, "a camera's switch cannot be kept; a restart forgets it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_outlives_a_restart_until_the_settings_change() {
        let home = tempfile::tempdir().unwrap();
        let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/"});
        let settings: CameraSettings = serde_json::from_value(json).unwrap();
        let enabled = |settings: &CameraSettings| CameraSwitches::load(home.path()).apply(settings).enabled;
        assert!(enabled(&settings));
        CameraSwitches::load(home.path()).set(&settings, false);
        assert!(!enabled(&settings));
        let changed = CameraSettings { enabled: false, ..settings.clone() };
        CameraSwitches::load(home.path()).set(&changed, true);
        assert!(enabled(&changed) && enabled(&settings), "each counts against the settings it was given under");
        std::fs::write(home.path().join("cameras.json"), "{").unwrap();
        assert!(enabled(&settings));
    }
}
