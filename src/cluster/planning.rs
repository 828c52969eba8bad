//! From what etcd holds to what the placer decides by, and from its decision to what is written.

use crate::cluster::etcd::{Commit, Expect};
use crate::cluster::placer::{BoxState, CameraNeed, Decision, Move};
use crate::cluster::records::{Keys, PlanRecord};
use crate::cluster::view::View;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// The most operations of one transaction. etcd takes 128 unless told otherwise.
const MOST_OPERATIONS: usize = 100;

/// The least share of what a camera wants that is kept free for it: one that was still for hours will move again.
const LEAST_SHARE: f32 = 0.1;

/// What a camera counts with: as it was measured, within what it wants.
fn need(measured: Option<f32>, wanted: f32) -> f32 {
    measured.map_or(wanted, |measured| measured.clamp(LEAST_SHARE * wanted, wanted.max(measured)))
}

/// The boxes, the cameras and the plan.
pub(super) struct Inputs {
    pub(super) boxes: BTreeMap<String, BoxState>,
    pub(super) cameras: BTreeMap<CameraId, CameraNeed>,
    pub(super) plan: BTreeMap<CameraId, String>,
}

impl Inputs {
    pub(super) fn of(view: &View) -> Self {
        let boxes = view.boxes.iter().map(|(id, kept)| {
            let record = &kept.value;
            let state = BoxState {
                capacity_tps: record.capacity_tps.clone(),
                processors: record.processors,
                zone: record.zone.clone(),
                is_draining: record.is_draining,
                cannot: record.cannot.clone(),
            };
            (id.clone(), state)
        });
        let cameras = view.cameras.iter().map(|(id, kept)| {
            let record = &kept.value;
            let measured = view.needs.get(id);
            let need = CameraNeed {
                model: record.model.clone(),
                tps: need(measured.map(|measured| measured.tps), record.wanted_tps),
                cores: measured.map_or(0.0, |measured| measured.cores),
                pin: record.pin.clone(),
                apart: record.apart.clone(),
            };
            (id.clone(), need)
        });
        let plan = view.plan.iter().map(|(id, kept)| (id.clone(), kept.value.box_id.clone()));
        Self { boxes: boxes.collect(), cameras: cameras.collect(), plan: plan.collect() }
    }
}

/// What writes a decision, as long as `leader_revision` is that of the leader: a box that was elected meanwhile decides itself.
/// What is kept of cameras that are removed goes with it.
pub(super) fn commits(decision: &Decision, view: &View, keys: &Keys, leader_revision: i64, now_ms: i64) -> Vec<Commit> {
    enum Write<'a> {
        Plan(&'a Move),
        Forget(String),
    }
    let is_removed = |camera: &&CameraId| !view.cameras.contains_key(*camera);
    let plans = view.plan.keys().filter(is_removed).map(|camera| keys.plan(camera));
    let void = decision.unplaced.iter().filter(|unplaced| view.plan.contains_key(&unplaced.camera));
    let plans = plans.chain(void.map(|unplaced| keys.plan(&unplaced.camera)));
    let needs = view.needs.keys().filter(is_removed).map(|camera| keys.need(camera));
    let forgotten = plans.chain(needs).map(Write::Forget);
    let writes: Vec<Write<'_>> = decision.moves.iter().map(Write::Plan).chain(forgotten).collect();
    let commit = |writes: &[Write<'_>]| {
        let begun = Commit::default().if_key(&keys.leader(), Expect::WrittenAt(leader_revision));
        writes.iter().fold(begun, |commit, write| match write {
            Write::Plan(moved) => {
                let why = moved.why.words().to_owned();
                let record = PlanRecord { box_id: moved.to.clone(), why, at_ms: now_ms };
                commit.put(&keys.plan(&moved.camera), &record, None)
            }
            Write::Forget(key) => commit.delete(key),
        })
    };
    writes.chunks(MOST_OPERATIONS).map(commit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_counts_with_what_it_was_measured_to_need_and_never_with_nothing() {
        assert_eq!((need(None, 5.0), need(Some(3.0), 5.0), need(Some(0.01), 5.0)), (5.0, 3.0, 0.5));
        assert_eq!((need(Some(9.0), 5.0), need(Some(0.0), 0.0)), (9.0, 0.0));
    }
}
