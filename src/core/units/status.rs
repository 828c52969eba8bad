//! What the units report: the status of each model, and what is wrong.

use super::Units;
use crate::camera::settings::CameraSettings;
use crate::supervisor::ModelStatus;
use crate::supervisor::pool::Pool;
use std::collections::BTreeMap;

impl Units {
    /// The status of every model by name.
    pub(in crate::core) fn status(&self) -> BTreeMap<String, ModelStatus> {
        self.fleet.status()
    }

    /// The labels that a camera's scene lists and its model does not have.
    pub(in crate::core) fn unknown_labels(&self, camera: &CameraSettings) -> Vec<String> {
        let model = self.fleet.model_of(&camera.id).and_then(|model| self.fleet.model(model));
        // Without labels the package is not known yet.
        let Some(package) = model.map(Pool::package).filter(|package| !package.labels.is_empty()) else {
            return Vec::new();
        };
        let is_unknown = |label: &&String| package.labels.class(label).is_none();
        camera.scene.labels.iter().filter(is_unknown).cloned().collect()
    }

    /// Problems of the units beside those of the models, as texts for the operator.
    pub(in crate::core) fn degraded(&self) -> Vec<String> {
        let not_started = self.not_started.iter().map(|(model, why)| format!("{model}: it is not started: {why}"));
        let kept_back = self.kept_back.iter().map(|(model, why)| format!("{model}: it keeps its version: {why}"));
        let hanging = self
            .packages
            .hanging()
            .map(|model| format!("{model}: its package cannot be read: the disk does not answer"));
        self.fleet.degraded().into_iter().chain(not_started).chain(kept_back).chain(hanging).collect()
    }
}
