//! Models that the boxes of a cluster share: what is wanted of each is kept in etcd, and every box works out its own part of it.
//!
//! ```text
//!  wanted (models/<model>) ─┐
//!  boxes that are there ────┴─▶ shares ──▶ this box's units
//! ```
//! A model without an entry in etcd is run by each box as its own settings say.

mod order;
mod place;
mod shares;

pub use order::ModelOrderError;
pub(in crate::cluster) use order::{missing_for, places_of};
pub use place::{ModelPlace, UnitsAt};
pub use shares::Share;
