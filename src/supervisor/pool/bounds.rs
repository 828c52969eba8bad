//! The limits of a pool: number of units, deadlines, and a quota of images.

use crate::supervisor::zones::Zones;
use std::time::Duration;

/// The bounds for a model's number of units.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitBounds {
    /// The minimum.
    pub min: usize,
    /// The maximum; `None`: fixed at `min`.
    pub max: Option<usize>,
}

/// The time limits of a unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitDeadlines {
    /// For loading its model.
    pub load: Duration,
    /// The longest limit of one inference; measured times shorten it.
    pub inference: Duration,
}

/// A limit of image transactions a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TpsQuota {
    /// A fixed number of transactions a second.
    Fixed(f64),
    /// The measured throughput of the units in service.
    Measured,
}

impl TpsQuota {
    /// The limit in transactions a second; `measured` is the throughput of the units in service.
    pub(super) fn tps(self, measured: f64) -> f64 {
        match self {
            Self::Fixed(tps) => tps,
            Self::Measured => measured,
        }
    }
}

/// The burst size of a quota in transactions: one second's worth, and at least one.
pub(super) fn burst(tps: f64) -> f64 {
    tps.max(1.0)
}

/// The units that a pool may still start.
#[derive(Debug)]
pub struct Room<'a> {
    /// The zones, where units are placed.
    pub zones: &'a mut Zones,
    /// The id of the next unit.
    pub next_unit: &'a mut u32,
    /// Units that may still be started.
    pub units: usize,
    /// Places that other models miss for their minima.
    pub reserved: usize,
    /// The limit that applies, as a text for the operator.
    pub limit: &'a str,
}
