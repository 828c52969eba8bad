//! What this box could not do for the cluster, and how many units it can take instead.

use crate::control::{Command, ControlError};
use crate::supervisor::FleetError;
use crate::vision::monotonic::Monotonic;
use std::collections::BTreeMap;
use std::time::Duration;

/// After so long a refused command is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// For so long others have the units that this box cannot take. Then it has a share of them again.
const CAP: Duration = Duration::from_secs(300);

/// A refusal.
#[derive(Debug)]
struct Refusal {
    command: Command,
    at: Monotonic,
    /// Since when, and the most units that the box can take.
    cap: Option<(Monotonic, usize)>,
    why: String,
}

/// The refusals of this box, by model.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<String, Refusal>);

impl Refused {
    /// False for a command that was refused a moment ago.
    pub(super) fn may_try(&self, command: &Command, now: Monotonic) -> bool {
        let known = self.0.get(command.subject()).filter(|known| known.command == *command);
        known.is_none_or(|known| now.since(known.at) >= RETRY)
    }

    /// True if the command has not been refused before.
    pub(super) fn is_news(&self, command: &Command) -> bool {
        self.0.get(command.subject()).is_none_or(|known| known.command != *command)
    }

    /// A command was refused while the model had so many units; 0: it does not run.
    pub(super) fn add(&mut self, command: Command, units: usize, error: &ControlError, now: Monotonic) {
        let has_no_room = matches!(error, ControlError::Fleet(FleetError::LimitExceeded(_)));
        let model = command.subject().to_owned();
        let before = self.0.get(&model).and_then(|known| known.cap);
        let cap = has_no_room.then(|| before.filter(|(_, cap)| *cap == units).unwrap_or((now, units)));
        let why = format!("{model}: this box cannot do its part for the cluster: {error}");
        self.0.insert(model, Refusal { command, at: now, cap, why });
    }

    /// A command was carried out: what was refused before it counts no more, but for the units that the box cannot take.
    pub(super) fn done(&mut self, model: &str) {
        if self.0.get(model).is_some_and(|known| known.cap.is_none()) {
            self.0.remove(model);
        }
    }

    /// Another order: what was refused may be possible now.
    pub(super) fn begin_anew(&mut self, model: &str) {
        self.0.remove(model);
    }

    /// Forgets what is long ago, and the models that `keeps` does not name.
    pub(super) fn forget(&mut self, now: Monotonic, keeps: impl Fn(&str) -> bool) {
        let is_old = |known: &Refusal| match known.cap {
            Some((since, _)) => now.since(since) >= CAP,
            None => now.since(known.at) >= 2 * RETRY,
        };
        self.0.retain(|model, known| keeps(model) && !is_old(known));
    }

    /// The most units of each model that this box can take.
    pub(super) fn caps(&self) -> BTreeMap<String, usize> {
        self.0.iter().filter_map(|(model, known)| Some((model.clone(), known.cap?.1))).collect()
    }

    /// For the operator.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|known| known.why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::pool::UnitBounds;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    fn scale(min: usize) -> Command {
        Command::ScaleModel { model: "m".into(), bounds: UnitBounds { min, max: None } }
    }

    #[test]
    fn what_was_refused_is_tried_again_later_and_another_command_at_once() {
        let (mut refused, error) = (Refused::default(), ControlError::Busy);
        refused.add(scale(3), 1, &error, at(10));
        assert!(!refused.may_try(&scale(3), at(14)) && refused.may_try(&scale(3), at(15)));
        assert!(refused.may_try(&scale(2), at(10)) && refused.is_news(&scale(2)) && !refused.is_news(&scale(3)));
        assert!(refused.caps().is_empty(), "it was busy, and has room");
        refused.done("m");
        assert_eq!(refused.reasons().count(), 0);
        refused.add(scale(3), 1, &error, at(20));
        refused.forget(at(31), |_| true);
        assert_eq!(refused.reasons().count(), 0);
    }

    #[test]
    fn units_for_which_there_is_no_room_are_left_to_others_for_some_minutes() {
        let mut refused = Refused::default();
        let full = ControlError::Fleet(FleetError::LimitExceeded("full".into()));
        refused.add(scale(3), 1, &full, at(0));
        refused.add(scale(3), 1, &full, at(100));
        refused.done("m");
        assert_eq!(refused.caps(), BTreeMap::from([("m".to_owned(), 1)]));
        refused.forget(at(299), |_| true);
        assert_eq!(refused.caps().len(), 1);
        refused.forget(at(300), |_| true);
        assert!(refused.caps().is_empty());
        refused.add(scale(3), 1, &full, at(400));
        refused.forget(at(401), |_| false);
        assert!(refused.caps().is_empty(), "it is not shared any more");
        refused.add(scale(3), 1, &full, at(500));
        refused.begin_anew("m");
        assert!(refused.caps().is_empty() && refused.may_try(&scale(3), at(500)));
    }
}
