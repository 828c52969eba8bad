//! The models of the settings as commands have changed them. Stored, so that this survives a restart of the daemon.
//!
//! An entry applies only while the settings of its model are unchanged, so that an edit of the settings takes effect.

use crate::supervisor::pool::UnitBounds;
use crate::supervisor::settings::ModelSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The desired state of a model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DesiredModel {
    /// The package's directory under `units.models_directory`.
    pub package: String,
    /// The minimum number of units.
    pub min_units: usize,
    /// The maximum number of units; `None`: fixed at the minimum.
    pub max_units: Option<usize>,
    /// True if the model is to run.
    pub is_running: bool,
}

impl DesiredModel {
    /// The bounds for its number of units.
    pub fn bounds(&self) -> UnitBounds {
        UnitBounds { min: self.min_units, max: self.max_units }
    }

    /// Sets the bounds for its number of units.
    pub fn set_bounds(&mut self, bounds: UnitBounds) {
        (self.min_units, self.max_units) = (bounds.min, bounds.max);
    }

    /// The state by the settings alone. `cores` replaces a minimum of 0.
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

/// The desired state of a model, and its settings at that time.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Entry {
    configured: DesiredModel,
    desired: DesiredModel,
}

/// The desired state of all models, as `models.json` holds it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DesiredModels {
    entries: BTreeMap<String, Entry>,
}

impl DesiredModels {
    /// The state by the settings, with the stored changes of models whose settings are unchanged. `cores` replaces a
    /// minimum of 0.
    pub fn new(models: &[ModelSettings], kept: &Self, cores: usize) -> Self {
        let entry = |settings: &ModelSettings| {
            let configured = DesiredModel::configured(settings, cores);
            let kept = kept.entries.get(&settings.name).filter(|kept| kept.configured == configured);
            let desired = kept.map_or_else(|| configured.clone(), |kept| kept.desired.clone());
            (settings.name.clone(), Entry { configured, desired })
        };
        Self { entries: models.iter().map(entry).collect() }
    }

    /// The desired state of a model; `None` if the settings do not name it.
    pub fn of(&self, model: &str) -> Option<&DesiredModel> {
        self.entries.get(model).map(|entry| &entry.desired)
    }

    /// The names of the models.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Changes the desired state of a model. Returns true if it differs from before.
    pub fn change(&mut self, model: &str, change: impl FnOnce(&mut DesiredModel)) -> bool {
        let Some(entry) = self.entries.get_mut(model) else { return false };
        let before = entry.desired.clone();
        change(&mut entry.desired);
        entry.desired != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_outlives_a_restart_until_the_settings_change() {
        let mut models = vec![ModelSettings::default()];
        let mut desired = DesiredModels::new(&models, &DesiredModels::default(), 4);
        assert_eq!(desired.of("coco-ssd").unwrap().bounds(), UnitBounds { min: 4, max: None });
        assert!(desired.change("coco-ssd", |model| (model.min_units, model.is_running) = (1, false)));
        assert!(!desired.change("coco-ssd", |model| model.min_units = 1), "nothing new");
        let restarted = DesiredModels::new(&models, &desired, 4);
        assert_eq!(restarted, desired);
        models[0].min_inference_units = 3;
        assert_eq!(DesiredModels::new(&models, &desired, 4).of("coco-ssd").unwrap().min_units, 3);
    }

    #[test]
    fn a_model_that_no_settings_name_has_no_entry() {
        let mut desired = DesiredModels::new(&[ModelSettings::default()], &DesiredModels::default(), 2);
        assert!(desired.of("other").is_none() && !desired.change("other", |model| model.min_units = 1));
    }
}
