//! Decides for the whole box: [`Core::apply`] takes an event and returns effects.
//!
//! ```text
//!  shell (appliance) ── Event ──▶ Core::apply(event, now) ── Vec<Effect> ──▶ shell
//!                                   │
//!                                   ├─ units       the fleet, images, models that commands change
//!                                   ├─ cameras     capture groups, slots, frame numbers, switches
//!                                   ├─ scenes      a tracker a camera, label counts, numbers of events
//!                                   └─ snapshots   limits, requests that wait, orders, the newest picture
//! ```
//!
//! The core holds no channel, handle, file or clock, so a day of faults runs in a second of test (`simulation`). Each part
//! owns its state; [`Core`] alone connects them. What waits for an answer outside is known here by a number, and its reply
//! channel lies with the shell.

mod apply;
pub mod camera_switches;
mod cameras;
pub mod desired_models;
pub mod effect;
pub mod event;
mod keeping;
mod packages;
pub mod plan;
mod scenes;
mod snapshots;
mod units;

pub use apply::Core;
pub use effect::{Effect, Report};
pub use event::Event;

#[cfg(test)]
mod simulation;
