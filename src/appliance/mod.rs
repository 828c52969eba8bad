//! The composition: which parts there are, who is connected to whom, and in what order all stop.

mod camera_pace;
mod camera_switches;
mod capture_side;
pub mod child_environment;
mod desired_state;
pub mod event_loop;
mod event_recorder;
mod figures;
pub mod importer;
mod meter;
pub mod model_host;
pub mod mqtt_commands;
mod reporter;
mod scene_side;
mod scenes;
mod snapshot_side;
mod snapshots;
mod unit_side;
mod zone_placement;

pub use event_loop::{Appliance, ChildPrograms};
pub use reporter::{Identity, Reporter};
