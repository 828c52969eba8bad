//! What parent and capture process tell each other of a camera that is watched.

use crate::vision::geometry::NormalizedBox;
use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};

/// How a camera is watched while its scene is still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchOrder {
    /// How small a change counts, 0..=1.
    pub sensitivity: f32,
    /// The scene must have been still for so many milliseconds.
    pub still_for_ms: u32,
    /// A still scene is looked at by a unit so often all the same, in milliseconds.
    pub look_every_ms: u32,
    /// A camera whose keyframes are farther apart is not watched, in milliseconds.
    pub longest_interval_ms: u32,
    /// A camera that is covered, blurred or turned away for so many milliseconds is told of; 0: never.
    pub tamper_after_ms: u32,
    /// Polygons in ratios of the picture in which changes do not count.
    pub ignore: Vec<Vec<[f32; 2]>>,
}

/// What a unit saw in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// The frame, by its capture time.
    pub captured_at: Monotonic,
    /// Where something was seen.
    pub boxes: Vec<NormalizedBox>,
    /// True if something moves, or may be new.
    pub moves: bool,
}
