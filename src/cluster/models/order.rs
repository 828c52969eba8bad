//! What all orders about shared models come to, and why one is not taken.

use crate::cluster::models::place::{ModelPlace, UnitsAt};
use crate::cluster::models::shares::{Shares, shares};
use crate::cluster::records::ModelRecord;
use crate::cluster::view::{Kept, View};
use std::collections::BTreeMap;

/// Why an order was not taken. Nothing has changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelOrderError {
    /// More units than the boxes have room for.
    #[error("{wanted} inference units are wanted, and the boxes of the cluster have room for {room} of this model")]
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

/// The units of a model for which there would be no room if this were wanted of it.
pub(in crate::cluster) fn missing_for(view: &View, model: &String, wanted: &ModelRecord) -> usize {
    let others = view.models.iter().filter(|(name, _)| *name != model).map(|(name, kept)| (name, &kept.value));
    let spread = shares(others.chain([(model, wanted)]), view.boxes.iter().map(|(id, kept)| (id, &kept.value)));
    spread.missing.get(model).copied().unwrap_or_default()
}

/// All models of which etcd says what is wanted.
pub(in crate::cluster) fn places_of(view: &View) -> BTreeMap<String, ModelPlace> {
    let wanted = view.models.iter().map(|(name, kept)| (name, &kept.value));
    let spread = shares(wanted, view.boxes.iter().map(|(id, kept)| (id, &kept.value)));
    view.models.iter().map(|(name, kept)| (name.clone(), place(view, name, kept, &spread))).collect()
}

fn place(view: &View, model: &String, kept: &Kept<ModelRecord>, spread: &Shares) -> ModelPlace {
    let boxes = view.boxes.iter().filter_map(|(id, of_box)| {
        let units = of_box.value.models.get(model).filter(|units| units.is_shared)?;
        let share = spread.of.get(model).and_then(|shares| shares.get(id)).copied();
        Some((id.clone(), UnitsAt { state: units.state, in_service: units.in_service, share }))
    });
    let missing = spread.missing.get(model).copied().unwrap_or_default();
    ModelPlace::of(&kept.value, kept.revision, boxes.collect(), missing)
}
