//! What operators and programs are shown of the cluster.

use crate::cluster::hours::HoursOfBoxes;
use crate::cluster::models::{ModelPlace, places_of};
use crate::cluster::moves::MoveStatus;
use crate::cluster::placer::Demand;
use crate::cluster::records::{ModelUnits, NeedRecord, PlanRecord};
use crate::cluster::view::{Kept, View};
use crate::os::clock::rfc3339_utc;
use crate::vision::camera_id::CameraId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Whether etcd can be reached.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct EtcdStatus {
    /// True while this box is heard of there.
    pub connected: bool,
    /// The member that it is connected to, or has tried last.
    pub endpoint: String,
    /// Why it is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A box of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BoxStatus {
    /// Where it is reached.
    pub address: String,
    /// The version of ocelli.
    pub version: String,
    /// Its zone; empty: none.
    pub zone: String,
    /// True while it gives its cameras away.
    pub draining: bool,
    /// How many cameras it owns.
    pub cameras: usize,
    /// The transactions a second that its units can do, by model.
    pub capacity_tps: BTreeMap<String, f32>,
    /// The share of it that its cameras need, by the plan: of its units, or of its processors.
    pub used: f32,
    /// Its processor cores.
    pub processors: f32,
    /// The share of its processors that is free.
    pub idle_processors: f32,
    /// What it says of each model; empty where it shares none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, ModelUnits>,
    /// The cameras that it cannot take, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cannot: BTreeMap<CameraId, String>,
}

/// Where a camera is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CameraPlace {
    /// The box that looks at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The epoch of its claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The box that is to look at it; absent: none can take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<String>,
    /// Why it is planned there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The box that it is pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// What it needs, in transactions a second: measured, or else what its settings want.
    pub needs_tps: f32,
    /// The processor cores that receiving and decoding it took; 0: not measured yet.
    pub needs_cores: f32,
}

/// The cluster as one box sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClusterStatus {
    /// The cluster's name; empty: the box is on its own.
    pub name: String,
    /// The connection to etcd.
    pub etcd: EtcdStatus,
    /// The box that plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// The boxes that are there.
    pub boxes: BTreeMap<String, BoxStatus>,
    /// The cluster's cameras.
    pub cameras: BTreeMap<CameraId, CameraPlace>,
    /// The models that its boxes share and of which something is wanted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, ModelPlace>,
    /// Inference hours.
    #[serde(skip)]
    pub hours: HoursOfBoxes,
    /// The last moves, the newest last.
    pub moves: Vec<MoveStatus>,
    /// How many moves this box has seen since it started, by reason.
    #[serde(skip)]
    pub move_counts: BTreeMap<String, u64>,
    /// What is wrong, in sentences for the operator.
    pub troubles: Vec<String>,
}

impl ClusterStatus {
    /// What a view shows. Moves and troubles are added by who knows them.
    #[expect(clippy::cast_possible_truncation, reason = "a use is a small number")]
    pub(super) fn of(name: &str, view: &View) -> Self {
        let needs = |camera: &CameraId| {
            let wanted = view.cameras.get(camera).map_or(0.0, |kept| kept.value.wanted_tps);
            view.needs.get(camera).copied().unwrap_or(NeedRecord { tps: wanted, cores: 0.0 })
        };
        let cameras = view.cameras.iter().map(|(id, kept)| {
            let (owner, plan) = (view.owner(id), view.plan.get(id).map(|plan| &plan.value));
            let place = CameraPlace {
                owner: owner.map(|(owner, _)| owner.box_id.clone()),
                epoch: owner.map(|(_, epoch)| epoch),
                since: owner.map(|(owner, _)| rfc3339_utc(owner.at_ms)),
                planned: plan.map(|plan| plan.box_id.clone()),
                why: plan.map(|plan| plan.why.clone()).unwrap_or_default(),
                pin: kept.value.pin.clone(),
                needs_tps: needs(id).tps,
                needs_cores: needs(id).cores,
            };
            (id.clone(), place)
        });
        let boxes = view.boxes.iter().map(|(id, kept)| {
            let record = &kept.value;
            let share = |(camera, plan): (&CameraId, &Kept<PlanRecord>)| {
                let model = &view.cameras.get(camera).filter(|_| plan.value.box_id == *id)?.value.model;
                let capacity = record.capacity_tps.get(model).copied().filter(|capacity| *capacity > 0.0)?;
                let NeedRecord { tps, cores } = needs(camera);
                let capacity_tps = f64::from(capacity);
                Some(Demand { tps, capacity_tps, cores, box_cores: record.processors }.share())
            };
            let status = BoxStatus {
                address: record.address.clone(),
                version: record.version.clone(),
                zone: record.zone.clone(),
                draining: record.is_draining,
                cameras: view.owners.values().filter(|owner| owner.value.box_id == *id).count(),
                capacity_tps: record.capacity_tps.clone(),
                // The sum of nothing is -0.0.
                used: (view.plan.iter().filter_map(share).sum::<f64>() + 0.0) as f32,
                processors: record.processors,
                idle_processors: record.idle_processors,
                models: record.models.clone(),
                cannot: record.cannot.clone(),
            };
            (id.clone(), status)
        });
        let unreadable =
            view.unreadable.iter().map(|(key, why)| format!("etcd: the value of {key} cannot be read: {why}"));
        let models = places_of(view);
        let short = models.iter().filter(|(_, place)| place.missing > 0).map(|(model, place)| match place.boxes.len() {
            0 => format!(
                "model {model}: no box that is there shares it: add it to their settings, or end it by `ocelli cluster models release {model}`"
            ),
            _ => format!(
                "model {model}: {} of its {} inference units have no place: the boxes that are there have no room for more, or it fails there",
                place.missing, place.min_units
            ),
        });
        Self {
            name: name.to_owned(),
            leader: view.leader.as_ref().map(|leader| leader.value.box_id.clone()),
            boxes: boxes.collect(),
            cameras: cameras.collect(),
            troubles: unreadable.chain(short).chain(different_packages(view)).collect(),
            models,
            hours: HoursOfBoxes::of(view),
            ..Self::default()
        }
    }
}

/// The models of the cluster's cameras, and those that are shared, of which boxes have different packages: what is seen of a camera
/// depends on where it is then.
fn different_packages(view: &View) -> Vec<String> {
    let of_cameras = view.cameras.values().map(|kept| &kept.value.model);
    let models: BTreeSet<&String> = of_cameras.chain(view.models.keys()).collect();
    let mut boxes: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (id, kept) in &view.boxes {
        for (model, digest) in kept.value.packages.iter().filter(|(model, _)| models.contains(model)) {
            boxes.entry(model).or_default().entry(digest).or_default().push(id);
        }
    }
    let different = boxes.into_iter().filter(|(_, by_digest)| by_digest.len() > 1);
    let sentence = |(model, by_digest): (&str, BTreeMap<&str, Vec<&str>>)| {
        let each = by_digest.values().map(|ids| ids.join(", ")).collect::<Vec<_>>().join(" and ");
        format!("model {model}: {each} have different packages of it: install the same at each box")
    };
    different.map(sentence).collect()
}

/// The month of a wall time in milliseconds since 1970, UTC: `2026-11`.
pub fn month_of(now_ms: i64) -> String {
    rfc3339_utc(now_ms).chars().take(7).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::records::{BoxRecord, CameraRecord};

    #[test]
    fn different_packages_of_a_model_that_cameras_share_are_a_trouble() {
        let mut view = View::default();
        for (id, digest) in [("a", "d1"), ("b", "d2"), ("c", "d1")] {
            let packages = ["coco-ssd", "other"].map(|model| (model.to_owned(), digest.to_owned())).into();
            let value = BoxRecord { packages, ..BoxRecord::default() };
            view.boxes.insert(id.to_owned(), Kept { value, revision: 1 });
        }
        assert_eq!(ClusterStatus::of("hall", &view).troubles, [""; 0], "no camera of the cluster has it");
        let value = CameraRecord { model: "coco-ssd".to_owned(), ..CameraRecord::default() };
        view.cameras.insert(CameraId::new("yard").unwrap(), Kept { value, revision: 1 });
        let expected = "model coco-ssd: a, c and b have different packages of it: install the same at each box";
        assert_eq!(ClusterStatus::of("hall", &view).troubles, [expected]);
        view.boxes.get_mut("b").unwrap().value.packages.insert("coco-ssd".to_owned(), "d1".to_owned());
        assert_eq!(ClusterStatus::of("hall", &view).troubles, [""; 0]);
    }
}
