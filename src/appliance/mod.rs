//! The composition: which parts there are, who is connected to whom, and in what order all stop.

pub mod child_environment;
pub mod event_loop;
mod reporter;

pub use event_loop::Appliance;
pub use reporter::{Identity, Reporter};
