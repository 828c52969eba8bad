//! What all orders about shared models come to, and why one is not taken.

use crate::cluster::models::place::{ModelPlace, UnitsAt};
use crate::cluster::models::shares::{Shares, shares};
use crate::cluster::records::{BoxRecord, ModelRecord};
use crate::cluster::view::{Kept, View};
use crate::vision::model_state::ModelState;
use std::collections::BTreeMap;

/// Why an order was not taken. Nothing has changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelOrderError {
    /// More units than the boxes have room for.
    #[error("{wanted} inference units are wanted, and the boxes that share this model have room for {room} of it")]
    NoRoom {
        /// The units.
        wanted: usize,
        /// How many of them fit.
        room: usize,
    },
    /// etcd does not answer, or somebody else has changed the same.
    #[error("{0}")]
    NotNow(String),
}

/// What is wanted of all models but one, the oldest order first: a new one takes nothing away from those before.
fn orders_beside<'a>(view: &'a View, model: &str) -> Vec<(&'a String, &'a ModelRecord)> {
    let mut orders: Vec<_> = view.models.iter().filter(|(name, _)| *name != model).collect();
    orders.sort_by_key(|(_, kept)| kept.revision);
    orders.into_iter().map(|(name, kept)| (name, &kept.value)).collect()
}

/// The units of a model for which there would be no room if this were wanted of it. A box on which it has failed tries again then.
pub(in crate::cluster) fn missing_for(view: &View, model: &String, wanted: &ModelRecord) -> usize {
    let begins_anew = |(id, kept): (&String, &Kept<BoxRecord>)| {
        let mut record = kept.value.clone();
        if let Some(units) = record.models.get_mut(model).filter(|units| units.state == ModelState::Failed) {
            units.state = ModelState::Stopped;
        }
        if let Some(units) = record.models.get_mut(model) {
            units.cap = None;
        }
        (id.clone(), record)
    };
    let boxes: BTreeMap<String, BoxRecord> = view.boxes.iter().map(begins_anew).collect();
    let mut orders = orders_beside(view, model);
    orders.push((model, wanted));
    shares(&orders, boxes.iter()).missing.get(model).copied().unwrap_or_default()
}

/// All models of which etcd says what is wanted.
pub(in crate::cluster) fn places_of(view: &View) -> BTreeMap<String, ModelPlace> {
    let spread = shares(&orders_beside(view, ""), view.boxes.iter().map(|(id, kept)| (id, &kept.value)));
    view.models.iter().map(|(name, kept)| (name.clone(), place(view, name, kept, &spread))).collect()
}

fn place(view: &View, model: &String, kept: &Kept<ModelRecord>, spread: &Shares) -> ModelPlace {
    let shared = |of_box: &Kept<BoxRecord>| of_box.value.models.get(model).copied().filter(|units| units.is_shared);
    let boxes = view.boxes.iter().filter_map(|(id, of_box)| {
        let share = spread.of.get(model).and_then(|shares| shares.get(id)).copied();
        shared(of_box).map(|units| (id.clone(), UnitsAt { state: units.state, in_service: units.in_service, share }))
    });
    // A box that drains keeps its units for a while.
    let draining = view.boxes.values().filter(|of_box| of_box.value.is_draining).filter_map(shared);
    let kept_there: usize = draining.map(|units| units.in_service).sum();
    let missing = spread.missing.get(model).copied().unwrap_or_default().saturating_sub(kept_there);
    ModelPlace::of(&kept.value, kept.revision, boxes.collect(), missing)
}
