//! What commands have made of the settings: kept, so that a restart of the daemon changes nothing.
//!
//! An entry counts only as long as the settings of its model are those it was made against: whoever
//! edits the settings means it.

use crate::os::atomic_file;
use crate::supervisor::pool::UnitBounds;
use crate::supervisor::settings::ModelSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What a model is to be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct DesiredModel {
    /// Its directory under `units.models_directory`.
    pub(super) package: String,
    /// At least so many units.
    pub(super) min_units: usize,
    /// At most; none: the number is fixed.
    pub(super) max_units: Option<usize>,
    /// It is to run.
    pub(super) is_running: bool,
}

impl DesiredModel {
    pub(super) fn bounds(&self) -> UnitBounds {
        UnitBounds { min: self.min_units, max: self.max_units }
    }

    pub(super) fn set_bounds(&mut self, bounds: UnitBounds) {
        (self.min_units, self.max_units) = (bounds.min, bounds.max);
    }

    /// By the settings alone. `cores` stands for a minimum of 0.
    fn configured(settings: &ModelSettings, cores: usize) -> Self {
        let min = usize::from(settings.min_inference_units);
        let max = usize::from(settings.max_inference_units);
        Self {
            package: settings.package().to_owned(),
            min_units: if min == 0 { cores } else { min },
            max_units: Some(max).filter(|max| *max > 0),
            is_running: settings.enabled,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    configured: DesiredModel,
    desired: DesiredModel,
}

/// The desired state of all models.
#[derive(Debug)]
pub(super) struct DesiredState {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl DesiredState {
    /// Takes the settings, and over them what was kept in `directory` against the same settings.
    pub(super) fn load(directory: &Path, models: &[ModelSettings], cores: usize) -> Self {
        let path = directory.join("models.json");
        let kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<BTreeMap<String, Entry>>(&bytes).unwrap_or_else(|error| {
                tracing::warn!(file = %path.display(), %error, "the desired state cannot be read; the settings count");
                BTreeMap::new()
            }),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %path.display(), %error, "the desired state cannot be read; the settings count");
                }
                BTreeMap::new()
            }
        };
        let entry = |settings: &ModelSettings| {
            let configured = DesiredModel::configured(settings, cores);
            let kept = kept.get(&settings.name).filter(|kept| kept.configured == configured);
            let desired = kept.map_or_else(|| configured.clone(), |kept| kept.desired.clone());
            (settings.name.clone(), Entry { configured, desired })
        };
        Self { path, entries: models.iter().map(entry).collect() }
    }

    /// What a model is to be.
    pub(super) fn of(&self, model: &str) -> Option<&DesiredModel> {
        self.entries.get(model).map(|entry| &entry.desired)
    }

    /// Keeps what a command has changed.
    pub(super) fn change(&mut self, model: &str, change: impl FnOnce(&mut DesiredModel)) {
        let Some(entry) = self.entries.get_mut(model) else { return };
        change(&mut entry.desired);
        let written = serde_json::to_vec_pretty(&self.entries).map_err(io::Error::other);
        if let Err(error) = written.and_then(|bytes| atomic_file::replace(&self.path, &bytes)) {
            tracing::error!(file = %self.path.display(), %error, "the desired state cannot be kept; a restart forgets it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_outlives_a_restart_until_the_settings_change() {
        let home = tempfile::tempdir().unwrap();
        let mut models = vec![ModelSettings::default()];
        let load = |models: &[ModelSettings]| DesiredState::load(home.path(), models, 4);
        assert_eq!(load(&models).of("coco-ssd").unwrap().bounds(), UnitBounds { min: 4, max: None });
        load(&models).change("coco-ssd", |model| (model.min_units, model.is_running) = (1, false));
        let kept = load(&models);
        assert_eq!((kept.of("coco-ssd").unwrap().min_units, kept.of("coco-ssd").unwrap().is_running), (1, false));
        models[0].min_inference_units = 3;
        assert_eq!(load(&models).of("coco-ssd").unwrap().min_units, 3);
    }

    #[test]
    fn a_damaged_file_leaves_the_settings() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("models.json"), "{").unwrap();
        let state = DesiredState::load(home.path(), &[ModelSettings::default()], 2);
        assert_eq!(state.of("coco-ssd").unwrap().min_units, 2);
        assert!(state.of("other").is_none());
    }
}
