//! How the units that are wanted spread over the boxes.
//!
//! Every box computes the same from what etcd holds. Units go one by one to a box that has none of the model yet, and then to the one that
//! has fewest for its size: a model stands on as many boxes as it has units, and large boxes get more.

use crate::cluster::records::{BoxRecord, ModelRecord};
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
    free: usize,
}

/// Spreads `wanted` over the boxes that share models and do not drain. A box on which a model fails is passed over for it.
pub(super) fn shares<'a>(
    wanted: impl Iterator<Item = (&'a String, &'a ModelRecord)>,
    boxes: impl Iterator<Item = (&'a String, &'a BoxRecord)>,
) -> Shares {
    let known: BTreeMap<_, _> = wanted.collect();
    let wanted = || known.iter().filter(|(_, record)| record.is_running);
    let mut rooms: BTreeMap<&String, Room<'_>> = boxes
        .filter(|(_, record)| !record.is_draining)
        .map(|(id, record)| {
            // What the box runs by its own settings is not for others to give away.
            let own = record.models.iter().filter(|(name, units)| {
                !(units.is_shared && known.contains_key(name)) && units.state != ModelState::Stopped
            });
            let own: usize = own.map(|(_, units)| units.min_units).sum();
            (id, Room { record, free: record.most_units.saturating_sub(own) })
        })
        .collect();
    let mut shares = Shares::default();
    for (model, record) in wanted() {
        let missing = give(model, record.min_units, &mut rooms, |share| share.min += 1, &mut shares);
        if missing > 0 {
            shares.missing.insert((*model).to_owned(), missing);
        }
    }
    // What is wanted at most comes after what every model has at least.
    for (model, record) in wanted() {
        let Some(max) = record.max_units else { continue };
        let given = shares.of.entry((*model).clone()).or_default();
        given.values_mut().for_each(|share| share.max = Some(share.min));
        give(
            model,
            max.saturating_sub(record.min_units),
            &mut rooms,
            |share| {
                share.max = Some(share.max.unwrap_or_default() + 1);
            },
            &mut shares,
        );
        for share in shares.of.get_mut(*model).into_iter().flat_map(BTreeMap::values_mut) {
            share.min = share.min.max(1);
        }
    }
    shares
}

/// Gives `units` of a model, one by one. Returns how many there was no room for.
fn give(
    model: &String,
    units: usize,
    rooms: &mut BTreeMap<&String, Room<'_>>,
    add: impl Fn(&mut Share),
    shares: &mut Shares,
) -> usize {
    let given = shares.of.entry(model.clone()).or_default();
    for done in 0..units {
        let runs_it = |room: &Room<'_>| {
            let units = room.record.models.get(model);
            room.free > 0 && units.is_some_and(|units| units.is_shared && units.state != ModelState::Failed)
        };
        let units_at = |id: &String| given.get(id).map_or(0, |share| share.max.unwrap_or(share.min));
        // Fractions are compared by cross products: (units + 1) / size.
        let best = rooms.iter().filter(|(_, room)| runs_it(room)).min_by(|(a, room_a), (b, room_b)| {
            let (size_a, size_b) = (room_a.record.most_units, room_b.record.most_units);
            let (share_a, share_b) = ((units_at(a) + 1) * size_b, (units_at(b) + 1) * size_a);
            let has_some = |id: &String| given.contains_key(id);
            has_some(a).cmp(&has_some(b)).then(share_a.cmp(&share_b)).then(room_b.free.cmp(&room_a.free)).then(a.cmp(b))
        });
        let Some(id) = best.map(|(id, _)| (*id).clone()) else { return units - done };
        if let Some(room) = rooms.get_mut(&id) {
            room.free -= 1;
        }
        add(given.entry(id).or_default());
    }
    0
}

#[cfg(test)]
mod tests;
