//! The settings that operators of a simulated box edit: cameras, models, tracking and snapshots.

use crate::camera::settings::{CameraSettings, SnapshotSettings};
use crate::core::change::{BoxChange, CameraChange, ModelsChange};
use crate::core::plan::{ModelPlan, ModelTerms};
use crate::core::simulation::box_of::package;
use crate::core::simulation::dice::Dice;
use crate::supervisor::settings::ModelSettings;
use crate::tracking::settings::TrackingSettings;
use std::collections::BTreeMap;

/// The packages that the settings may name. The units of `bad` cannot load it.
const PACKAGES: [&str; 4] = ["good-0", "good-1", "good-2", "bad"];

/// The settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) cameras: BTreeMap<usize, CameraSettings>,
    pub(super) models: Vec<ModelSettings>,
    pub(super) tracking: TrackingSettings,
    pub(super) snapshots: SnapshotSettings,
}

impl Wanted {
    /// Makes one change. `cameras` is the number of cameras that there are in the house.
    pub(super) fn edit(&mut self, cameras: usize, dice: &mut Dice) {
        let nth = dice.index(cameras);
        let model = self.models[dice.index(self.models.len())].name.clone();
        let Some(camera) = self.cameras.get_mut(&nth) else {
            self.cameras.insert(nth, camera(nth, &model));
            return;
        };
        match dice.index(12) {
            0 | 1 => drop(self.cameras.remove(&nth)),
            2 => camera.fps = dice.pick(&[1.0, 2.0, 5.0]),
            3 => camera.scene.labels = vec![dice.pick(&["person", "dog"]).to_owned()],
            4 => camera.url.push('x'),
            11 => camera.detect_url = camera.detect_url.is_none().then(|| "rtsp://127.0.0.1/sub".into()),
            5 => camera.model = Some(model),
            6 => camera.weight = dice.pick(&[1, 2, 5]),
            7 => camera.enabled = !camera.enabled,
            8 => self.snapshots.per_minute = dice.pick(&[0, 10]),
            9 => self.tracking.enabled = !self.tracking.enabled,
            _ => self.edit_model(dice),
        }
    }

    fn edit_model(&mut self, dice: &mut Dice) {
        let nth = dice.index(self.models.len());
        match dice.index(4) {
            0 => self.models[nth].min_inference_units = dice.pick(&[1, 2]),
            1 => self.models[nth].package = dice.pick(&PACKAGES).into(),
            2 => self.models[nth].enabled = !self.models[nth].enabled,
            _ if self.models.len() == 1 => self.models.push(model("second", (1, 0))),
            _ => {
                self.models.pop();
                // Settings with a camera of a model that is gone do not pass the check.
                self.cameras.values_mut().for_each(|camera| camera.model = None);
            }
        }
    }

    /// The plans of models, all with their package.
    pub(super) fn plans(models: &[ModelSettings], terms: ModelTerms) -> Vec<ModelPlan> {
        let plan = |model: &ModelSettings| ModelPlan {
            name: model.name.clone(),
            package: model.package.clone(),
            terms,
            loaded: Ok(package(&model.name, &model.package)),
        };
        models.iter().map(plan).collect()
    }

    /// The change from these settings to others, as a reload computes it.
    pub(super) fn change_to(&self, new: &Self, terms: ModelTerms) -> BoxChange {
        let change = |(nth, settings): (&usize, &CameraSettings)| {
            let before = self.cameras.get(nth).filter(|before| *before != settings)?;
            let reconnects = before.url != settings.url || before.detect_url != settings.detect_url;
            let is_scene_new = before.scene != settings.scene;
            let is_blackout_new = before.blackout != settings.blackout;
            Some(CameraChange { settings: settings.clone(), reconnects, is_blackout_new, is_scene_new })
        };
        let is_new = |(nth, _): &(&usize, &CameraSettings)| !self.cameras.contains_key(nth);
        let is_gone = |(nth, _): &(&usize, &CameraSettings)| !new.cameras.contains_key(nth);
        let is_added = |model: &&ModelSettings| self.models.iter().all(|before| before.name != model.name);
        let added: Vec<ModelSettings> = new.models.iter().filter(is_added).cloned().collect();
        let models = (self.models != new.models).then(|| ModelsChange {
            settings: new.models.clone(),
            renewed: Vec::new(),
            cores: 1,
            terms: new.models.iter().map(|model| (model.name.clone(), terms)).collect(),
            brought_in: terms,
            added: Self::plans(&added, terms),
        });
        BoxChange {
            removed_cameras: self.cameras.iter().filter(is_gone).map(|(_, camera)| camera.id.clone()).collect(),
            added_cameras: new.cameras.iter().filter(is_new).map(|(_, camera)| camera.clone()).collect(),
            changed_cameras: new.cameras.iter().filter_map(change).collect(),
            tracking: (self.tracking != new.tracking).then(|| new.tracking.clone()),
            snapshots: (self.snapshots != new.snapshots).then(|| new.snapshots.clone()),
            models,
        }
    }
}

/// A camera of the house.
pub(super) fn camera(nth: usize, model: &str) -> CameraSettings {
    let mut json = serde_json::json!({
        "id": format!("camera-{nth}"), "url": "rtsp://127.0.0.1/", "model": model, "weight": 1 + nth % 3,
    });
    if nth.is_multiple_of(3) {
        json["detect_url"] = "rtsp://127.0.0.1/sub".into();
    }
    serde_json::from_value(json).unwrap()
}

/// A model with minimum and maximum units; a maximum of 0 fixes the number.
pub(super) fn model(name: &str, (min, max): (u16, u16)) -> ModelSettings {
    ModelSettings {
        name: name.to_owned(),
        package: "good-0".into(),
        min_inference_units: min,
        max_inference_units: max,
        ..ModelSettings::default()
    }
}
