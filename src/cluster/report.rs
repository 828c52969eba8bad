//! What the appliance tells the cluster of its box, and what it is told.

use crate::cluster::headroom::CallRoom;
use crate::cluster::hours::MonthHours;
use crate::cluster::records::{BoxRecord, CameraRecord, ModelUnits, NeedRecord};
use crate::cluster::standing::Standings;
use crate::vision::camera_id::CameraId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a box says of itself, as the appliance knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnReport {
    /// The transactions a second that its units can do, by model.
    pub capacity_tps: BTreeMap<String, f32>,
    /// The digest of the package of each model.
    pub packages: BTreeMap<String, String>,
    /// What each running model can do for callers.
    pub call_room: BTreeMap<String, CallRoom>,
    /// Its processor cores.
    pub processors: f32,
    /// The share of its processors that is free, 0..=1.
    pub idle_processors: f32,
    /// The cameras whose frames arrive.
    pub streaming: BTreeSet<CameraId>,
    /// What each of its cameras was measured to need.
    pub needs: BTreeMap<CameraId, NeedRecord>,
    /// The cameras of the cluster that it cannot take, and why.
    pub cannot: BTreeMap<CameraId, String>,
    /// Its inference hours of this month.
    pub hours: MonthHours,
    /// The most units that it may run, of all models together.
    pub most_units: usize,
    /// The most models that it may run.
    pub most_models: usize,
    /// What it says of each model; empty where it shares none.
    pub models: BTreeMap<String, ModelUnits>,
}

/// The cameras of the cluster that this box has.
#[derive(Clone, Debug, Default)]
pub struct Assigned {
    /// In which standing.
    pub standings: Standings,
    /// All cameras of the cluster, with their settings: those that this box cannot take are found before they are assigned.
    pub cameras: Arc<BTreeMap<CameraId, Assignment>>,
}

/// A camera of the cluster as etcd keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// What etcd keeps of it.
    pub record: CameraRecord,
    /// The revision at which they were written.
    pub revision: i64,
}

/// The change of the share that is left for calls, which is worth a write: it changes with each rush of calls.
const ROOM_NEWS: f32 = 0.15;

/// The change of a figure that is worth a write: a tenth.
const NEWS: f32 = 0.1;

/// True if a figure differs enough to be told.
pub(super) fn is_news(now: f32, before: f32) -> bool {
    (now - before).abs() > NEWS * before.abs().max(NEWS)
}

/// The change of a camera's cores that is worth a write: a quarter, and not of next to nothing.
const CORES_NEWS: f32 = 0.25;
const FEW_CORES: f32 = 0.05;

/// True if what a camera needs differs enough to be told.
pub(super) fn is_need_news(now: NeedRecord, before: NeedRecord) -> bool {
    is_news(now.tps, before.tps) || (now.cores - before.cores).abs() > CORES_NEWS * before.cores.max(FEW_CORES)
}

/// True if a box's record differs enough to be written: what a program acts upon, or a figure by a tenth.
pub(super) fn is_box_news(now: &BoxRecord, before: &BoxRecord) -> bool {
    let figures = |record: &BoxRecord| BoxRecord {
        capacity_tps: BTreeMap::new(),
        call_room: BTreeMap::new(),
        idle_processors: 0.0,
        ..record.clone()
    };
    let differs =
        |(model, tps): (&String, &f32)| before.capacity_tps.get(model).is_none_or(|before| is_news(*tps, *before));
    let room_differs = |(model, now): (&String, &CallRoom)| {
        before.call_room.get(model).is_none_or(|before| {
            let whole = now.whole_tps.max(before.whole_tps);
            (now.free_share() - before.free_share()).abs() > ROOM_NEWS
                || (now.whole_tps - before.whole_tps).abs() > 2.0 * ROOM_NEWS * whole
        })
    };
    figures(now) != figures(before)
        || now.call_room.len() != before.call_room.len()
        || now.call_room.iter().any(room_differs)
        || now.capacity_tps.len() != before.capacity_tps.len()
        || now.capacity_tps.iter().any(differs)
        || (now.idle_processors - before.idle_processors).abs() > 2.0 * NEWS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(tps: f32, idle: f32) -> BoxRecord {
        BoxRecord { capacity_tps: BTreeMap::from([("a".into(), tps)]), idle_processors: idle, ..BoxRecord::default() }
    }

    #[test]
    fn a_need_is_told_when_it_differs() {
        let need = |tps, cores| NeedRecord { tps, cores };
        assert!(!is_need_news(need(5.4, 0.12), need(5.0, 0.1)));
        assert!(is_need_news(need(5.6, 0.1), need(5.0, 0.1)) && is_need_news(need(5.0, 0.13), need(5.0, 0.1)));
        assert!(is_need_news(need(5.0, 0.02), need(5.0, 0.0)) && !is_need_news(need(5.0, 0.01), need(5.0, 0.0)));
        assert_eq!(need(5.0, 0.0).after(need(4.0, 0.1)), need(5.0, 0.1), "a new owner has not measured it yet");
        assert_eq!(need(5.0, 0.2).after(need(4.0, 0.1)), need(5.0, 0.2));
    }

    #[test]
    fn figures_that_wobble_are_not_written_and_everything_else_is() {
        let before = record(50.0, 0.5);
        assert!(!is_box_news(&record(54.0, 0.6), &before));
        assert!(is_box_news(&record(56.0, 0.5), &before) && is_box_news(&record(50.0, 0.9), &before));
        assert!(is_box_news(&record(0.0, 0.5), &before) && is_box_news(&before, &record(0.0, 0.5)));
        let room = |whole_tps: f32, free_tps: f32| BoxRecord {
            call_room: BTreeMap::from([("a".into(), CallRoom { whole_tps, free_tps })]),
            ..before.clone()
        };
        assert!(!is_box_news(&room(100.0, 60.0), &room(100.0, 70.0)));
        assert!(
            is_box_news(&room(100.0, 50.0), &room(100.0, 70.0)) && is_box_news(&room(100.0, 50.0), &room(50.0, 50.0))
        );
        assert!(is_box_news(&room(1.0, 1.0), &before) && is_box_news(&before, &room(1.0, 1.0)));
        assert!(is_box_news(&BoxRecord { is_draining: true, ..before.clone() }, &before));
        assert!(is_box_news(&BoxRecord { capacity_tps: BTreeMap::new(), ..before.clone() }, &before));
    }
}
