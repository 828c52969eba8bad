//! A shared model as all boxes together run it.

use crate::cluster::models::shares::Share;
use crate::cluster::records::ModelRecord;
use crate::vision::model_state::ModelState;
use serde::Serialize;
use std::collections::BTreeMap;

/// A model of the cluster, and its units on all boxes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelPlace {
    /// The state of all together.
    pub state: ModelState,
    /// True if it is to run.
    pub is_wanted: bool,
    /// The units that are wanted at least, on all boxes together.
    pub min_units: usize,
    /// At most; absent: always `min_units`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_units: Option<usize>,
    /// The units in service, on all boxes together.
    pub in_service: usize,
    /// The units that are wanted and for which no box has room.
    pub missing: usize,
    /// By box.
    pub boxes: BTreeMap<String, UnitsAt>,
    /// The revision of etcd at which it was wanted so.
    #[serde(skip)]
    pub revision: i64,
}

/// A model at one box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct UnitsAt {
    /// Its state there.
    pub state: ModelState,
    /// Its units in service there.
    pub in_service: usize,
    /// The units that the box is to have; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl ModelPlace {
    /// What `boxes` make of what is wanted.
    pub(super) fn of(record: &ModelRecord, revision: i64, boxes: BTreeMap<String, UnitsAt>, missing: usize) -> Self {
        Self {
            state: state(record.is_running, &boxes),
            is_wanted: record.is_running,
            min_units: record.min_units,
            max_units: record.max_units,
            in_service: boxes.values().map(|at| at.in_service).sum(),
            missing,
            boxes,
            revision,
        }
    }

    /// The units that other boxes have in service and keep. What one gives up itself is nothing that this box may count on.
    pub fn kept_beside(&self, box_id: &str) -> usize {
        let kept = |at: &UnitsAt| at.share.map_or(0, |share| share.min.min(at.in_service));
        self.boxes.iter().filter(|(id, _)| *id != box_id).map(|(_, at)| kept(at)).sum()
    }
}

/// It runs as soon as one box runs it, as a model of one box does with its first unit, and is stopped when no box runs it any more.
fn state(is_wanted: bool, boxes: &BTreeMap<String, UnitsAt>) -> ModelState {
    let any = |state: ModelState| boxes.values().any(|at| at.state == state);
    match is_wanted {
        true if any(ModelState::Running) => ModelState::Running,
        true if any(ModelState::Starting) => ModelState::Starting,
        true if boxes.values().any(|at| at.share.is_some() && at.state != ModelState::Failed) => ModelState::Starting,
        true => ModelState::Failed,
        false if any(ModelState::Running) || any(ModelState::Starting) || any(ModelState::Stopping) => {
            ModelState::Stopping
        }
        false => ModelState::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ModelState::{Failed, Running, Starting, Stopped, Stopping};

    #[test]
    fn the_state_is_that_of_the_box_which_is_furthest() {
        for (is_wanted, boxes, expected) in [
            (true, &[(Stopped, true), (Stopped, true)][..], Starting),
            (true, &[(Starting, true), (Running, true)], Running),
            (true, &[(Failed, false), (Running, true)], Running),
            (true, &[(Failed, false), (Stopped, true)], Starting),
            (true, &[(Failed, false), (Stopped, false)], Failed),
            (true, &[], Failed),
            (false, &[(Running, false), (Stopped, false)], Stopping),
            (false, &[(Stopping, false)], Stopping),
            (false, &[(Stopped, false), (Failed, false)], Stopped),
            (false, &[], Stopped),
        ] {
            let at = |(index, (state, has_share)): (usize, &(ModelState, bool))| {
                let share = has_share.then(Share::default);
                (index.to_string(), UnitsAt { state: *state, in_service: 0, share })
            };
            let boxes: BTreeMap<_, _> = boxes.iter().enumerate().map(at).collect();
            assert_eq!(state(is_wanted, &boxes), expected, "{is_wanted} {boxes:?}");
        }
    }

    #[test]
    fn a_box_counts_on_the_units_that_others_keep_and_not_on_those_that_they_give_up() {
        let at = |in_service, min: Option<usize>| UnitsAt {
            state: Running,
            in_service,
            share: min.map(|min| Share { min, ..Share::default() }),
        };
        let boxes = [("a", at(3, Some(1))), ("b", at(1, Some(2))), ("c", at(2, None)), ("own", at(9, Some(9)))];
        let boxes: BTreeMap<_, _> = boxes.map(|(id, at)| (id.to_owned(), at)).into();
        let place = ModelPlace::of(&ModelRecord::default(), 1, boxes, 0);
        assert_eq!((place.kept_beside("own"), place.kept_beside("a")), (2, 10), "one of a, one of b, none of c");
    }
}
