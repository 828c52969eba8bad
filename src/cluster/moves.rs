//! The moves of cameras between boxes, as one box has seen them.

use crate::cluster::records::PlanRecord;
use crate::os::clock::rfc3339_utc;
use crate::vision::camera_id::CameraId;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// The most moves that are remembered.
const MOST_MOVES: usize = 50;

/// The most reasons that moves are counted by, more than there are.
const MOST_REASONS: usize = 16;

/// A move of a camera.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MoveStatus {
    /// The camera.
    pub camera: CameraId,
    /// The box that it was planned on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The box that it is planned on.
    pub to: String,
    /// The reason, in words for the operator.
    pub why: String,
    /// When, RFC 3339.
    pub at: String,
}

/// The moves, by the plans that were seen: the last ones, and how many there were for each reason.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    newest: VecDeque<MoveStatus>,
    counts: BTreeMap<String, u64>,
}

impl Moves {
    /// Notes where a plan differs from the one before.
    pub(super) fn note(&mut self, camera: &CameraId, before: Option<&PlanRecord>, plan: Option<&PlanRecord>) {
        let Some(plan) = plan.filter(|plan| before.is_none_or(|before| before.box_id != plan.box_id)) else { return };
        // Whoever may write to etcd may write any reason.
        let is_known = self.counts.len() < MOST_REASONS || self.counts.contains_key(&plan.why);
        *self.counts.entry(if is_known { plan.why.clone() } else { "other".to_owned() }).or_default() += 1;
        self.newest.push_back(MoveStatus {
            camera: camera.clone(),
            from: before.map(|before| before.box_id.clone()),
            to: plan.box_id.clone(),
            why: plan.why.clone(),
            at: rfc3339_utc(plan.at_ms),
        });
        if self.newest.len() > MOST_MOVES {
            self.newest.pop_front();
        }
    }

    pub(super) fn newest(&self) -> Vec<MoveStatus> {
        self.newest.iter().cloned().collect()
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_counted_by_reason_and_the_newest_are_kept() {
        let (mut moves, yard) = (Moves::default(), CameraId::new("yard").unwrap());
        let plan = |to: &str, why: String| PlanRecord { box_id: to.to_owned(), why, at_ms: 0 };
        moves.note(&yard, None, Some(&plan("a", "it had no box".into())));
        moves.note(&yard, Some(&plan("a", String::new())), Some(&plan("a", "it is no move".into())));
        moves.note(&yard, Some(&plan("a", String::new())), None);
        assert_eq!((moves.newest().len(), moves.counts()), (1, BTreeMap::from([("it had no box".into(), 1)])));
        for number in 0..100 {
            moves.note(&yard, Some(&plan("a", String::new())), Some(&plan("b", format!("reason {number}"))));
        }
        assert_eq!((moves.newest().len(), moves.counts().len()), (MOST_MOVES, MOST_REASONS + 1));
        assert_eq!(moves.counts()["other"], 101 - MOST_REASONS as u64);
    }
}
