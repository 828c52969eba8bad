//! What a command makes of a shared model, and what a box has to do next for its part.

use crate::cluster::records::{ModelRecord, ModelUnits};
use crate::cluster::{ModelPlace, Share};
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
    pub(super) fn is_new(&mut self, model: &str, revision: i64) -> bool {
        self.0.insert(model.to_owned(), revision) != Some(revision)
    }
}

/// A model before the first order: every box runs it by its own settings. `None`: no box shares it.
pub(super) fn by_settings<'a>(of_boxes: impl Iterator<Item = &'a ModelUnits>) -> Option<SharedModel> {
    let all: Vec<&ModelUnits> = of_boxes.filter(|units| units.is_shared).collect();
    let states = [ModelState::Running, ModelState::Starting, ModelState::Stopping, ModelState::Failed];
    let state = states.into_iter().find(|state| all.iter().any(|units| units.state == *state)).unwrap_or_default();
    let runs = |units: &&&ModelUnits| matches!(units.state, ModelState::Running | ModelState::Starting);
    let running: Vec<&ModelUnits> = all.iter().filter(runs).copied().collect();
    let of = if running.is_empty() { &all } else { &running };
    let max = of.iter().map(|units| units.max_units.unwrap_or(units.min_units)).sum();
    (!all.is_empty()).then(|| SharedModel {
        state,
        min_units: of.iter().map(|units| units.min_units).sum(),
        max_units: of.iter().any(|units| units.max_units.is_some()).then_some(max),
        in_service: all.iter().map(|units| units.in_service).sum(),
        boxes: all.iter().filter(|units| units.in_service > 0).count(),
    })
}

/// What is wanted of a model on all boxes after a command. `now` is what all of them make of it.
///
/// # Errors
/// When the model's state does not allow the command, or its numbers contradict each other.
pub(super) fn wanted(command: &Command, now: &SharedModel, at_ms: i64) -> Result<ModelRecord, ControlError> {
    let state = now.state;
    let refuse = |model: &String, cure| {
        Err(ControlError::Fleet(FleetError::WrongState { model: model.clone(), state: state.name(), cure }))
    };
    let of = |bounds: UnitBounds, is_running| ModelRecord {
        is_running,
        min_units: bounds.min,
        max_units: bounds.max,
        at_ms,
    };
    let before = UnitBounds { min: now.min_units, max: now.max_units };
    let is_at_rest = matches!(state, ModelState::Stopped | ModelState::Stopping);
    let wanted = match command {
        Command::StartModel { model, .. } if matches!(state, ModelState::Starting | ModelState::Running) => {
            return refuse(model, "it need not be started; to change its units, scale it");
        }
        Command::StartModel { bounds, .. } => of(bounds.unwrap_or(before), true),
        Command::StopModel { model } if is_at_rest => return refuse(model, "it need not be stopped"),
        Command::StopModel { .. } => of(before, false),
        Command::ScaleModel { bounds, .. } => of(*bounds, !is_at_rest),
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

/// What a box has to do next so that it runs its share. `has_cameras`: it looks at cameras with this model. `is_new`: it has not acted on
/// this order before.
pub(super) fn next_command(
    model: &str,
    place: &ModelPlace,
    (box_id, has_cameras): (&str, bool),
    local: &ModelStatus,
    is_new: bool,
) -> Option<Command> {
    let share = place.boxes.get(box_id).and_then(|at| at.share);
    // Frames are not handed on: a box keeps a unit for its cameras.
    let share = share.or_else(|| (place.is_wanted && has_cameras).then_some(Share { min: 1, max: None }));
    let stop = || Some(Command::StopModel { model: model.to_owned() });
    // Others first have the units that this box gives up.
    let kept = place.kept_beside(box_id);
    let needed = place.min_units.saturating_sub(place.missing);
    match (local.state, share) {
        (ModelState::Stopping, _) | (ModelState::Stopped, None) => None,
        (ModelState::Stopped, Some(share)) => {
            let bounds = Some(UnitBounds { min: share.min, max: share.max });
            Some(Command::StartModel { model: model.to_owned(), bounds })
        }
        // It tries again by itself; an order lets it begin anew.
        (ModelState::Failed, _) if !place.is_wanted || is_new => stop(),
        (ModelState::Starting | ModelState::Running, None) if !place.is_wanted || kept >= needed => stop(),
        (ModelState::Failed, _) | (ModelState::Starting | ModelState::Running, None) => None,
        (ModelState::Starting | ModelState::Running, Some(share)) => {
            let (now, bounds) = ((local.min_units, local.max_units), (share.min, share.max));
            let may_follow = share.min >= local.min_units || kept + share.min >= needed;
            (now != bounds && may_follow).then(|| Command::ScaleModel {
                model: model.to_owned(),
                bounds: UnitBounds { min: share.min, max: share.max },
            })
        }
    }
}

#[cfg(test)]
mod tests;
