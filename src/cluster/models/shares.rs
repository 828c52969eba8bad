//! How the units that are wanted spread over the boxes.
//!
//! Every box computes the same from what etcd holds. Units go one by one to a box that has none of the model yet, and then to the one that
//! has fewest for its size: a model stands on as many boxes as it has units, and large boxes get more.

use crate::cluster::records::{BoxRecord, ModelRecord, ModelUnits};
use crate::vision::model_state::ModelState;
use serde::Serialize;
use std::collections::BTreeMap;

/// The units of a model at one box.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Share {
    /// At least; one or more.
    pub min: usize,
    /// At most; `None`: always `min`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
}

/// The shares of all boxes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shares {
    /// By model and box. A box that is not there runs none.
    pub(super) of: BTreeMap<String, BTreeMap<String, Share>>,
    /// The units of each model for which no box has room.
    pub(super) missing: BTreeMap<String, usize>,
}

/// A box's room while units are given to it.
struct Room<'a> {
    record: &'a BoxRecord,
    units: usize,
    /// Further models.
    models: usize,
}

impl<'a> Room<'a> {
    /// What is left beside the models that the box runs by its own settings, and those that fail there and keep their places.
    fn of(record: &'a BoxRecord, is_known: impl Fn(&str) -> bool) -> Self {
        let takes_room = |(name, units): &(&String, &ModelUnits)| match units.state {
            ModelState::Stopped => false,
            ModelState::Failed => true,
            _ => !(units.is_shared && is_known(name)),
        };
        let own: Vec<&ModelUnits> = record.models.iter().filter(takes_room).map(|(_, units)| units).collect();
        Self {
            record,
            units: record.most_units.saturating_sub(own.iter().map(|units| units.min_units).sum()),
            models: record.most_models.saturating_sub(own.len()),
        }
    }

    /// True if it can take one unit more than it has been given of the model.
    fn takes(&self, model: &str, given: usize) -> bool {
        let runs_it = |units: &&ModelUnits| units.is_shared && units.state != ModelState::Failed;
        let Some(units) = self.record.models.get(model).filter(runs_it) else { return false };
        self.units > 0 && (given > 0 || self.models > 0) && units.cap.is_none_or(|cap| given < cap)
    }
}

/// Spreads what is `wanted` over the boxes that share models and do not drain, in the order of `wanted`. A box on which a model fails is
/// passed over for it.
pub(super) fn shares<'a>(
    wanted: &[(&'a String, &'a ModelRecord)],
    boxes: impl Iterator<Item = (&'a String, &'a BoxRecord)>,
) -> Shares {
    let is_known = |model: &str| wanted.iter().any(|(name, _)| *name == model);
    let boxes = boxes.filter(|(_, record)| !record.is_draining);
    let mut rooms: BTreeMap<_, _> = boxes.map(|(id, record)| (id, Room::of(record, is_known))).collect();
    let running = || wanted.iter().filter(|(_, record)| record.is_running);
    let mut shares = Shares::default();
    for (model, record) in running() {
        let missing = give(model, record.min_units, &mut rooms, |share| share.min += 1, &mut shares);
        if missing > 0 {
            shares.missing.insert((*model).clone(), missing);
        }
    }
    // What is wanted at most comes after what every model has at least.
    for (model, record) in running() {
        let Some(max) = record.max_units else { continue };
        let given = shares.of.entry((*model).clone()).or_default();
        given.values_mut().for_each(|share| share.max = Some(share.min));
        let one_more = |share: &mut Share| share.max = Some(share.max.unwrap_or_default() + 1);
        give(model, max.saturating_sub(record.min_units), &mut rooms, one_more, &mut shares);
        for share in shares.of.get_mut(*model).into_iter().flat_map(BTreeMap::values_mut) {
            share.min = share.min.max(1);
        }
    }
    shares
}

/// Gives `units` of a model, one by one. Returns how many there was no room for.
fn give(
    model: &str,
    units: usize,
    rooms: &mut BTreeMap<&String, Room<'_>>,
    add: impl Fn(&mut Share),
    shares: &mut Shares,
) -> usize {
    let given = shares.of.entry(model.to_owned()).or_default();
    for done in 0..units {
        let units_at = |id: &String| given.get(id).map_or(0, |share| share.max.unwrap_or(share.min));
        let able = rooms.iter().filter(|(id, room)| room.takes(model, units_at(id)));
        // Fractions are compared by cross products: (units + 1) / size.
        let best = able.min_by(|(a, room_a), (b, room_b)| {
            let (size_a, size_b) = (room_a.record.most_units, room_b.record.most_units);
            let (share_a, share_b) = ((units_at(a) + 1) * size_b, (units_at(b) + 1) * size_a);
            let has_some = |id: &String| given.contains_key(id);
            has_some(a)
                .cmp(&has_some(b))
                .then(share_a.cmp(&share_b))
                .then(room_b.units.cmp(&room_a.units))
                .then(a.cmp(b))
        });
        let Some(id) = best.map(|(id, _)| (*id).clone()) else { return units - done };
        if let Some(room) = rooms.get_mut(&id) {
            room.units -= 1;
            room.models -= usize::from(!given.contains_key(&id));
        }
        add(given.entry(id).or_default());
    }
    0
}

#[cfg(test)]
mod tests;
