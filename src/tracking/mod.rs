//! Detections become objects: each with a number that stays, and a life that events tell.
//!
//! A [`CameraTracker`] is given what was seen in each frame of one camera and says which object is which, and what
//! began, changed and ended. Plain code: never waits, never reads a clock, knows neither MQTT nor models. Frames may be
//! irregular, since sampling and shedding make them so: all times are real seconds, nothing is counted in frames but
//! the sightings that let an object begin.
//!
//! The method is ByteTrack's: a Kalman filter an object (`kalman`), two rounds of optimal assignment
//! (`association`, `assignment`). It is our own because the crates that do it assume a fixed rate of frames, are young
//! (trackforge 0.5, yscv-track) or have not moved since 2023 (similari), and bring far more than these few hundred
//! lines need.

mod assignment;
mod association;
pub(crate) mod event;
mod found;
mod frame_pace;
mod history;
mod kalman;
mod label_life;
mod objects;
pub(crate) mod region;
mod rules;
pub mod settings;
#[cfg(test)]
mod tests;
mod tracked_object;
mod tracker;

pub(crate) use event::{EventKind, TrackEvent};
pub(crate) use found::Seen;
pub(crate) use rules::TrackingRules;
pub(crate) use tracker::{CameraTracker, Observed};
