//! The cameras that commands have switched on or off. Stored, so that this survives a restart of the daemon.

use crate::camera::settings::CameraSettings;
use crate::vision::camera_id::CameraId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value that a command set, and the setting at that time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Switch {
    configured: bool,
    enabled: bool,
}

/// The switches of all cameras that a command has ever switched, as `cameras.json` holds them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CameraSwitches {
    switches: BTreeMap<String, Switch>,
}

impl CameraSwitches {
    /// Forgets cameras that the settings do not name any more.
    pub fn retain(&mut self, cameras: &[CameraSettings]) {
        self.switches.retain(|id, _| cameras.iter().any(|camera| camera.id.as_str() == id));
    }

    /// Forgets a camera. True if a command had switched it.
    pub fn remove(&mut self, camera: &CameraId) -> bool {
        self.switches.remove(camera.as_str()).is_some()
    }

    /// The settings of a camera, with the value that a command set, unless the setting has changed since.
    pub fn apply(&self, settings: &CameraSettings) -> CameraSettings {
        let switch = self.switches.get(settings.id.as_str()).filter(|switch| switch.configured == settings.enabled);
        CameraSettings { enabled: switch.map_or(settings.enabled, |switch| switch.enabled), ..settings.clone() }
    }

    /// Records a command. `configured` is the camera's setting, `enabled` the command's value.
    pub fn set(&mut self, camera: &CameraId, configured: bool, enabled: bool) {
        self.switches.insert(camera.to_string(), Switch { configured, enabled });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_outlives_a_restart_until_the_settings_change() {
        let json = serde_json::json!({"id": "yard", "url": "rtsp://127.0.0.1/"});
        let settings: CameraSettings = serde_json::from_value(json).unwrap();
        let mut switches = CameraSwitches::default();
        assert!(switches.apply(&settings).enabled);
        switches.set(&settings.id, settings.enabled, false);
        assert!(!switches.apply(&settings).enabled);
        let changed = CameraSettings { enabled: false, ..settings.clone() };
        switches.set(&changed.id, changed.enabled, true);
        assert!(
            switches.apply(&changed).enabled && switches.apply(&settings).enabled,
            "each counts against its setting"
        );
        switches.retain(&[]);
        assert_eq!(switches, CameraSwitches::default());
    }
}
