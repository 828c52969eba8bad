//! What the placer is given: boxes, needs, and how fast it may change things.

use crate::vision::camera_id::CameraId;
use std::collections::BTreeMap;
use std::time::Duration;

/// A box that takes part, as the placer sees it. A box that has died is not among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxState {
    /// Measured transactions a second of each model on this box. Without an entry, or with 0, it takes no camera of the
    /// model.
    pub capacity_tps: BTreeMap<String, f32>,
    /// Its processor cores; 0: not known.
    pub processors: f32,
    /// Boxes with the same word fail together: a hall, a power line.
    pub zone: String,
    /// It gives its cameras away and gets none.
    pub is_draining: bool,
    /// Cameras that it cannot take, with the reason in words for the operator.
    pub cannot: BTreeMap<CameraId, String>,
}

/// What a camera needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraNeed {
    /// The model that looks at it.
    pub model: String,
    /// Transactions a second.
    pub tps: f32,
    /// Processor cores that receiving and decoding it takes; 0: not known.
    pub cores: f32,
    /// The box on which the operator wants it.
    pub pin: Option<String>,
    /// Cameras with the same word go to different zones, and to different boxes in a zone, as far as possible.
    pub apart: Option<String>,
}

/// How much must be wrong before a camera moves, and how fast cameras move.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacerSettings {
    /// Cameras move for balance only while the use of two boxes differs by more than this share.
    pub slack: f32,
    /// Limits moves for balance, pins and `apart`; 0 means none. Cameras of dead and draining boxes move at once.
    pub moves_per_second: f32,
    /// How long boxes must have been the same before cameras move for balance or to a box that has just come.
    pub settle: Duration,
}

impl Default for PlacerSettings {
    fn default() -> Self {
        Self { slack: 0.15, moves_per_second: 1.0, settle: Duration::from_secs(30) }
    }
}
