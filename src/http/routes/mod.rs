//! The native API: one file for each subject.

pub(super) mod cameras;
pub(super) mod clips;
pub(super) mod cluster;
pub(super) mod detect;
pub(super) mod event_pictures;
pub(super) mod events;
pub(super) mod health;
pub(super) mod history;
pub(super) mod hours;
pub(super) mod live;
pub(super) mod login;
pub(super) mod models;
pub(super) mod people;
mod refusal;
pub(super) mod reload;
pub(super) mod scene;
pub(super) mod snapshots;
pub(super) mod status;
