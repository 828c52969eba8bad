//! Turns detections into objects: each has a lasting number, and events report when it begins, changes and ends.
//!
//! A `CameraTracker` gets the detections of each frame of one camera. It returns the object of each detection, and the
//! events. Plain code: it never waits, never reads a clock, and knows neither MQTT nor models. Sampling and shedding make
//! frames irregular, so all times are real seconds. Only the sightings that let an object begin are counted in frames.
//!
//! ```text
//!   strong detection        min_hits sightings              unseen for lost_seconds, or end_all
//!  ───────────────▶ on trial ───────────────▶ begun ───────────────────────────────────────▶ ended
//!                      │                      │   ▲
//!                      │ missed more often    └───┘ Changed: a region, a better picture, another label
//!                      │ than seen, or lost
//!                      ▼
//!                   dropped without an event
//! ```
//!
//! * On trial, because detectors err: a false box seldom comes back at the same place.
//! * Weak detections keep a begun object alive and begin none: they are mostly objects that are half hidden. The fainter they
//!   are, the surer the object must be.
//! * At most one `Changed` a second, because each event is written to disk.
//!
//! The method is ByteTrack: a Kalman filter for each object (`kalman`) and rounds of optimal assignment (`association`,
//! `assignment`). It is our own code because the available crates assume a fixed frame rate, are young (trackforge 0.5,
//! yscv-track) or unmaintained since 2023 (similari), and bring far more than these few hundred lines.

mod assignment;
mod association;
mod detections;
pub(crate) mod event;
mod frame_pace;
mod history;
mod kalman;
mod label_life;
mod named_detection;
mod objects;
pub(crate) mod region;
mod rules;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod track_score;
mod tracked_object;
mod tracker;

pub use event::{EventKind, TrackEvent};
pub use named_detection::NamedDetection;
pub use rules::TrackingRules;
pub use tracker::{CameraTracker, TrackedFrame};
