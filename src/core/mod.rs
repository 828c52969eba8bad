//! Decides for the whole box: [`Core::apply`] takes an event and returns effects.
//!
//! ```text
//!  shell (appliance) ── Event ──▶ Core::apply(event, now) ── Vec<Effect> ──▶ shell
//!                                   │
//!                                   ├─ units       the fleet, its packages, the desired models
//!                                   ├─ cameras     capture groups, slots, frame numbers, switches
//!                                   ├─ scenes      a tracker per camera, label counts, event numbers
//!                                   └─ snapshots   limits, waiting requests, orders, newest pictures
//! ```
//!
//! The core holds no channel, handle, file or clock, so a test simulates a day of faults in a second (`simulation`).
//! Each part owns its state; only [`Core`] connects them. Requests that wait for a reply have a ticket here; the shell
//! holds their reply channels.

mod apply;
pub mod camera_switches;
mod cameras;
pub mod change;
pub mod desired_models;
pub mod effect;
pub mod event;
mod frame_connection;
mod keeping;
pub mod loaded_package;
mod packages;
pub mod plan;
pub mod report;
mod scenes;
mod snapshots;
mod tampering;
mod units;

pub use apply::Core;
pub use effect::Effect;
pub use event::Event;
pub use report::Report;

#[cfg(test)]
mod simulation;
