//! What a command makes of a shared model, and what a box has to do next for its part.

use crate::cluster::ModelPlace;
use crate::cluster::records::ModelRecord;
use crate::control::shared_models::SharedModel;
use crate::control::{Command, ControlError};
use crate::supervisor::pool::UnitBounds;
use crate::supervisor::{FleetError, ModelState, ModelStatus};
use std::collections::BTreeMap;

/// The revisions of the orders that a box has followed, by model.
#[derive(Debug, Default)]
pub(super) struct InForce(BTreeMap<String, i64>);

impl InForce {
    /// Forgets the models that are not shared any more.
    pub(super) fn keep(&mut self, is_shared: impl Fn(&String) -> bool) {
        self.0.retain(|model, _| is_shared(model));
    }

    /// True once for each order.
    fn is_new(&mut self, model: &str, revision: i64) -> bool {
        self.0.insert(model.to_owned(), revision) != Some(revision)
    }
}

/// What is wanted of a model after a command. Without an order so far, the numbers are those of the box that was asked.
///
/// # Errors
/// When the model's state does not allow the command, or its numbers contradict each other.
pub(super) fn wanted(
    command: &Command,
    shared: Option<&SharedModel>,
    local: &ModelStatus,
    at_ms: i64,
) -> Result<ModelRecord, ControlError> {
    let (state, min, max) = match shared {
        Some(model) => (model.state, model.min_units, model.max_units),
        None => (local.state, local.min_units, local.max_units),
    };
    let runs = matches!(state, ModelState::Starting | ModelState::Running);
    let refuse = |model: &String, cure| {
        Err(ControlError::Fleet(FleetError::WrongState { model: model.clone(), state: state.name(), cure }))
    };
    let of = |bounds: UnitBounds, is_running| ModelRecord {
        is_running,
        min_units: bounds.min,
        max_units: bounds.max,
        at_ms,
    };
    let before = UnitBounds { min, max };
    let wanted = match command {
        Command::StartModel { model, .. } if runs => {
            return refuse(model, "it need not be started; to change its units, scale it");
        }
        Command::StartModel { bounds, .. } => of(bounds.unwrap_or(before), true),
        Command::StopModel { model } if matches!(state, ModelState::Stopped | ModelState::Stopping) => {
            return refuse(model, "it need not be stopped");
        }
        Command::StopModel { .. } => of(before, false),
        Command::ScaleModel { bounds, .. } => of(*bounds, !matches!(state, ModelState::Stopped | ModelState::Stopping)),
        // No other command is for all boxes.
        _ => return Err(ControlError::Busy),
    };
    match (wanted.min_units, wanted.max_units) {
        (0, _) => Err(FleetError::Invalid("a model has at least one inference unit".into()).into()),
        (min, Some(max)) if max < min => {
            Err(FleetError::Invalid(format!("at most {max} inference units are fewer than at least {min}")).into())
        }
        _ => Ok(wanted),
    }
}

/// What a box has to do next so that it runs its share.
pub(super) fn next_command(
    model: &str,
    place: &ModelPlace,
    box_id: &str,
    local: &ModelStatus,
    in_force: &mut InForce,
) -> Option<Command> {
    let is_new = in_force.is_new(model, place.revision);
    let share = place.boxes.get(box_id).and_then(|at| at.share);
    let stop = || Some(Command::StopModel { model: model.to_owned() });
    // Others first have the units that this box gives up.
    let others = place.in_service_beside(box_id);
    match (local.state, share) {
        (ModelState::Stopping, _) | (ModelState::Stopped, None) => None,
        (ModelState::Stopped, Some(share)) => {
            let bounds = Some(UnitBounds { min: share.min, max: share.max });
            Some(Command::StartModel { model: model.to_owned(), bounds })
        }
        // It tries again by itself; an order lets it begin anew.
        (ModelState::Failed, _) => {
            if is_new {
                stop()
            } else {
                None
            }
        }
        (ModelState::Starting | ModelState::Running, None) => {
            if !place.is_wanted || others >= place.min_units {
                stop()
            } else {
                None
            }
        }
        (ModelState::Starting | ModelState::Running, Some(share)) => {
            let (now, bounds) = ((local.min_units, local.max_units), (share.min, share.max));
            let keeps = others + share.min >= place.min_units;
            let may_follow = share.min >= local.min_units || keeps;
            (now != bounds && may_follow).then(|| Command::ScaleModel {
                model: model.to_owned(),
                bounds: UnitBounds { min: share.min, max: share.max },
            })
        }
    }
}

#[cfg(test)]
mod tests;
