//! Boxes and cameras by number, with the use of each box kept up to date while cameras move.

use crate::cluster::placer::capacity::Capacities;
use crate::cluster::placer::decision::MoveReason;
use crate::cluster::placer::input::{BoxState, CameraNeed};
use crate::cluster::placer::share::Demand;
use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;

/// A box, by its place among the boxes in the order of their names.
pub(super) type BoxIndex = usize;
/// A camera, by its place among the cameras in the order of their names.
pub(super) type CameraIndex = usize;

/// A box that carries more is overfull.
pub(super) const FULL: f64 = 1.0 + 1e-9;

/// A box, and what is on it.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) name: &'a str,
    pub(super) state: &'a BoxState,
    /// The sum of the shares of it that its cameras take.
    pub(super) used: f64,
    pub(super) cameras: Vec<CameraIndex>,
    /// It may be given cameras for reasons that can wait.
    pub(super) has_settled: bool,
    /// It comes and goes.
    pub(super) is_unsteady: bool,
    zone: usize,
    /// By model.
    capacity: Vec<f64>,
}

/// A camera, and where it is.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    pub(super) id: &'a CameraId,
    pub(super) need: &'a CameraNeed,
    /// Its box in the plan, which may not be there.
    pub(super) planned: Option<&'a str>,
    pub(super) at: Option<BoxIndex>,
    model: usize,
    /// The cameras that it is to be apart from.
    group: Option<usize>,
}

/// How many cameras of a group are in each zone and on each box.
#[derive(Clone, Debug)]
struct Group {
    in_zone: Vec<u32>,
    on_box: Vec<u32>,
}

/// The plan as it is being changed.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) sites: Vec<Site<'a>>,
    pub(super) seats: Vec<Seat<'a>>,
    groups: Vec<Group>,
}

/// Gives words numbers.
#[derive(Debug, Default)]
struct Numbers<'a>(BTreeMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    fn of(&mut self, word: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry(word).or_insert(next)
    }
}

impl<'a> Table<'a> {
    /// All boxes, empty, and all cameras, on none.
    pub(super) fn new(
        boxes: &'a BTreeMap<String, BoxState>,
        cameras: &'a BTreeMap<CameraId, CameraNeed>,
        plan: &'a BTreeMap<CameraId, String>,
        capacities: &Capacities,
    ) -> Self {
        let (mut models, mut groups, mut zones) = (Numbers::default(), Numbers::default(), Numbers::default());
        let mut lines = plan.iter().peekable();
        let seat = |(id, need): (&'a CameraId, &'a CameraNeed)| {
            let group = need.apart.as_deref().map(|word| groups.of(word));
            // Both are in the order of names: going through the plan once is several times as fast as a thousand searches.
            while lines.next_if(|(camera, _)| *camera < id).is_some() {}
            let planned = lines.next_if(|(camera, _)| *camera == id).map(|(_, name)| name.as_str());
            Seat { id, need, planned, at: None, model: models.of(&need.model), group }
        };
        let seats: Vec<Seat<'_>> = cameras.iter().map(seat).collect();
        let site = |(name, state): (&'a String, &'a BoxState)| {
            let mut capacity = vec![0.0; models.0.len()];
            models.0.iter().for_each(|(model, number)| capacity[*number] = capacities.of(name, model));
            let zone = zones.of(&state.zone);
            let (used, cameras) = (0.0, Vec::new());
            Site { name, state, used, cameras, has_settled: false, is_unsteady: false, zone, capacity }
        };
        let sites: Vec<Site<'_>> = boxes.iter().map(site).collect();
        let group = Group { in_zone: vec![0; zones.0.len()], on_box: vec![0; sites.len()] };
        Self { groups: vec![group; groups.0.len()], sites, seats }
    }

    /// The box of this name, if it is there.
    pub(super) fn find(&self, name: &str) -> Option<BoxIndex> {
        self.sites.binary_search_by(|site| site.name.cmp(name)).ok()
    }

    /// True if the box can look at the camera, draining or not.
    pub(super) fn can(&self, camera: CameraIndex, site: BoxIndex) -> bool {
        let (seat, site) = (&self.seats[camera], &self.sites[site]);
        site.capacity[seat.model] > 0.0 && !site.state.cannot.contains_key(seat.id)
    }

    /// True if the box can be given the camera.
    pub(super) fn takes(&self, camera: CameraIndex, site: BoxIndex) -> bool {
        !self.sites[site].state.is_draining && self.can(camera, site)
    }

    /// The box that the camera has in the plan, if it is there.
    pub(super) fn home(&self, camera: CameraIndex) -> Option<BoxIndex> {
        self.find(self.seats[camera].planned?)
    }

    /// Why a camera cannot stay where the plan has it; `None` if it can.
    pub(super) fn why_homeless(&self, camera: CameraIndex) -> Option<MoveReason> {
        match (self.seats[camera].planned, self.home(camera)) {
            (None, _) => Some(MoveReason::New),
            (Some(_), None) => Some(MoveReason::BoxGone),
            (Some(_), Some(home)) if !self.can(camera, home) => Some(MoveReason::CannotTake),
            (Some(_), Some(home)) if !self.takes(camera, home) => Some(MoveReason::Draining),
            (Some(_), Some(_)) => None,
        }
    }

    /// The box on which the operator wants the camera, if that can be.
    pub(super) fn pin(&self, camera: CameraIndex) -> Option<BoxIndex> {
        let site = self.find(self.seats[camera].need.pin.as_deref()?)?;
        self.takes(camera, site).then_some(site)
    }

    /// The share of the box that the camera needs. The box must be one that can look at it.
    pub(super) fn share(&self, camera: CameraIndex, site: BoxIndex) -> f64 {
        let (need, site) = (self.seats[camera].need, &self.sites[site]);
        let capacity_tps = site.capacity[self.seats[camera].model];
        Demand { tps: need.tps, capacity_tps, cores: need.cores, box_cores: site.state.processors }.share()
    }

    /// How many other cameras that it is to be apart from the camera has, or would have, in its zone and on its box.
    pub(super) fn company(&self, camera: CameraIndex, site: BoxIndex) -> (u32, u32) {
        let Some(group) = self.seats[camera].group else { return (0, 0) };
        let (group, zone) = (&self.groups[group], self.sites[site].zone);
        let at = self.seats[camera].at;
        let is_in_zone = at.is_some_and(|at| self.sites[at].zone == zone);
        (group.in_zone[zone] - u32::from(is_in_zone), group.on_box[site] - u32::from(at == Some(site)))
    }

    /// Puts the camera on the box, away from where it is.
    pub(super) fn put(&mut self, camera: CameraIndex, site: BoxIndex) {
        if let Some(before) = self.seats[camera].at {
            self.sites[before].used -= self.share(camera, before);
            self.sites[before].cameras.retain(|other| *other != camera);
            self.count(camera, before, |count| *count -= 1);
        }
        self.seats[camera].at = Some(site);
        self.sites[site].used += self.share(camera, site);
        self.sites[site].cameras.push(camera);
        self.count(camera, site, |count| *count += 1);
    }

    fn count(&mut self, camera: CameraIndex, site: BoxIndex, change: impl Fn(&mut u32)) {
        let Some(group) = self.seats[camera].group else { return };
        change(&mut self.groups[group].in_zone[self.sites[site].zone]);
        change(&mut self.groups[group].on_box[site]);
    }

    /// True if the camera is to be apart from others.
    pub(super) fn has_group(&self, camera: CameraIndex) -> bool {
        self.seats[camera].group.is_some()
    }
}
