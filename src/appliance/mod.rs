//! The shell around the core, and the composition of the daemon: its parts, their connections and the order of
//! shutdown.
//!
//! `shell` waits for events and passes them to the [`core`](crate::core), `performer` performs the effects, `reporter`
//! publishes and counts, `composition` builds the parts.

pub mod agent_check;
mod box_plan;
mod box_state;
mod cache_sweep;
pub mod child_environment;
mod child_log;
mod cluster_part;
mod composition;
mod decoding_use;
mod engine_chooser;
mod engines;
mod event_recorder;
mod gauges;
pub mod history_keeper;
mod importer;
mod inbox;
mod live_orders;
mod memory_probe;
mod meter;
pub mod mqtt_commands;
mod own_report;
mod package_loader;
mod performer;
mod reload;
mod reporter;
mod requests;
pub mod scene_editor;
mod shared_models;
mod shell;
mod state_reports;
mod status_maker;
mod stream_lines;
pub mod version_starter;
mod zone_placement;

pub use box_plan::swapped_package;
pub use cluster_part::{ClusterExit, ClusterPart};
pub use composition::{Appliance, ChildPrograms};
pub use engine_chooser::room;
pub use engines::{EngineTerms, engine_terms, known_choice, turn_to};
pub use package_loader::{load_model, load_with_caches};
pub use reload::{ClusterInput, Prepared, Reloader};
pub use reporter::{Identity, Reporter};
pub use zone_placement::core_count;
