//! The shell around the core, and the composition: which parts there are, who is connected to whom, and in what order all
//! stop.
//!
//! `shell` waits and has the [`core`](crate::core) decide, `performer` carries out, `reporter` publishes and counts,
//! `composition` builds all of it.

mod box_plan;
pub mod child_environment;
mod composition;
mod event_recorder;
pub mod importer;
mod inbox;
mod memory_probe;
mod meter;
mod model_state;
pub mod mqtt_commands;
mod package_loader;
mod performer;
mod reporter;
mod requests;
mod shell;
mod zone_placement;

pub use box_plan::swapped_package;
pub use composition::{Appliance, ChildPrograms};
pub use package_loader::load_model;
pub use reporter::{Identity, Reporter};
pub use zone_placement::core_count;
