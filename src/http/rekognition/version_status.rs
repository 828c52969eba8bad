//! `Status` and `StatusMessage` of a version, from the catalog and the fleet.

use crate::catalog::{Stage, Version};
use crate::control::Control;
use crate::supervisor::ModelState;

/// A model of the fleet, or of all boxes together where they share it.
#[derive(Debug, Default)]
pub(super) struct Running {
    pub(super) state: ModelState,
    pub(super) min_units: usize,
    pub(super) max_units: Option<usize>,
    /// Units in service and the boxes that have them, where boxes share the model.
    spread: Option<(usize, usize)>,
}

impl Running {
    /// `None`: it was not started since the daemon started.
    pub(super) fn of(control: &Control, model: &str) -> Option<Self> {
        if let Some(shared) = control.shared_model(model) {
            let spread = Some((shared.in_service, shared.boxes));
            let (min_units, max_units) = (shared.min_units, shared.max_units);
            return Some(Self { state: shared.state, min_units, max_units, spread });
        }
        control.read(|status| {
            let model = status.models.get(model)?;
            let (min_units, max_units) = (model.min_units, model.max_units);
            Some(Self { state: model.state, min_units, max_units, spread: None })
        })
    }

    /// True if what all boxes together have of it counts.
    pub(super) fn is_shared(&self) -> bool {
        self.spread.is_some()
    }

    fn sentence(&self) -> String {
        match self.spread {
            Some((units, boxes)) => format!("The model is running: {units} inference units on {boxes} boxes."),
            None => "The model is running.".to_owned(),
        }
    }
}

/// A `ProjectVersionStatus` of the service model, and a sentence for people.
pub(super) fn status_of(version: &Version, running: Option<&Running>) -> (&'static str, String) {
    let failure = |what: &str| match &version.failure {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    };
    let at_rest = match version.stage {
        Stage::Importing => return ("TRAINING_IN_PROGRESS", "The model is being imported.".into()),
        Stage::ImportFailed => return ("TRAINING_FAILED", failure("The model could not be imported")),
        Stage::Copying => return ("COPYING_IN_PROGRESS", "The model is being copied.".into()),
        Stage::CopyFailed => return ("COPYING_FAILED", failure("The model could not be copied")),
        Stage::Imported if version.units.is_none() => ("TRAINING_COMPLETED", "The model is ready to run."),
        Stage::Copied if version.units.is_none() => ("COPYING_COMPLETED", "The model is ready to run."),
        Stage::Configured | Stage::Imported | Stage::Copied => ("STOPPED", "The model has been stopped."),
    };
    match running.map(|model| model.state) {
        Some(ModelState::Starting) => ("STARTING", "The model is being started.".into()),
        Some(ModelState::Running) => ("RUNNING", running.map(Running::sentence).unwrap_or_default()),
        Some(ModelState::Stopping) => ("STOPPING", "The model is being stopped.".into()),
        Some(ModelState::Failed) => ("FAILED", "No inference unit of the model can be started.".into()),
        Some(ModelState::Stopped) | None => (at_rest.0, at_rest.1.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Units;

    fn version(stage: Stage, units: Option<Units>) -> Version {
        let json = serde_json::json!({
            "created_ms": 1, "finished_ms": 2, "stage": stage, "failure": "no such file", "output": null,
            "description": null, "source": null, "tags": {}, "units": units, "is_wanted": false,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_status_comes_from_the_import_until_the_first_start_and_then_from_the_units() {
        let units = Some(Units { min: 1, max: None });
        let at = |state| Running { state, ..Running::default() };
        for (stage, units, running, status) in [
            (Stage::Importing, None, None, "TRAINING_IN_PROGRESS"),
            (Stage::ImportFailed, None, None, "TRAINING_FAILED"),
            (Stage::Copying, None, None, "COPYING_IN_PROGRESS"),
            (Stage::CopyFailed, None, None, "COPYING_FAILED"),
            (Stage::Imported, None, None, "TRAINING_COMPLETED"),
            (Stage::Copied, None, None, "COPYING_COMPLETED"),
            (Stage::Imported, units, None, "STOPPED"),
            (Stage::Configured, None, Some(at(ModelState::Stopped)), "STOPPED"),
            (Stage::Configured, None, Some(at(ModelState::Running)), "RUNNING"),
            (Stage::Imported, units, Some(at(ModelState::Starting)), "STARTING"),
            (Stage::Imported, units, Some(at(ModelState::Stopping)), "STOPPING"),
            (Stage::Imported, units, Some(at(ModelState::Failed)), "FAILED"),
        ] {
            let (found, message) = status_of(&version(stage, units), running.as_ref());
            assert_eq!(found, status);
            assert!(!message.is_empty());
        }
        assert!(status_of(&version(Stage::ImportFailed, None), None).1.ends_with("no such file"));
        let shared = Running { state: ModelState::Running, spread: Some((4, 2)), ..Running::default() };
        let message = status_of(&version(Stage::Configured, None), Some(&shared)).1;
        assert_eq!(message, "The model is running: 4 inference units on 2 boxes.");
    }
}
