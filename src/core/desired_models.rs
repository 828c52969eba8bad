//! What commands have made of the models of the settings: kept, so that a restart of the daemon changes nothing.
//!
//! An entry counts only while the settings of its model are those that it was made against: an operator who edits the
//! settings means it.

use crate::supervisor::pool::UnitBounds;
use crate::supervisor::settings::ModelSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a model is to be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DesiredModel {
    /// Its directory under `units.models_directory`.
    pub package: String,
    /// At least so many units.
    pub min_units: usize,
    /// At most; none: the number is fixed.
    pub max_units: Option<usize>,
    /// It is to run.
    pub is_running: bool,
}

impl DesiredModel {
    /// Its numbers of units.
    pub fn bounds(&self) -> UnitBounds {
        UnitBounds { min: self.min_units, max: self.max_units }
    }

    /// Sets its numbers of units.
    pub fn set_bounds(&mut self, bounds: UnitBounds) {
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

/// What a model is to be, and the settings that this was made against.
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
    /// What the settings say, and over it what was kept against the same settings.
    pub fn new(models: &[ModelSettings], kept: &Self, cores: usize) -> Self {
        let entry = |settings: &ModelSettings| {
            let configured = DesiredModel::configured(settings, cores);
            let kept = kept.entries.get(&settings.name).filter(|kept| kept.configured == configured);
            let desired = kept.map_or_else(|| configured.clone(), |kept| kept.desired.clone());
            (settings.name.clone(), Entry { configured, desired })
        };
        Self { entries: models.iter().map(entry).collect() }
    }

    /// What a model is to be; none for one that the settings do not name.
    pub fn of(&self, model: &str) -> Option<&DesiredModel> {
        self.entries.get(model).map(|entry| &entry.desired)
    }

    /// Changes what a model is to be. True if that is something new.
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
