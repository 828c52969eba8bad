//! What a pool is held to: numbers of units, time limits, and a quota of images.

use crate::supervisor::zones::Zones;
use std::time::Duration;

/// How many units a model has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitBounds {
    /// At least.
    pub min: usize,
    /// At most; none: the number is fixed at `min`.
    pub max: Option<usize>,
}

/// How long a unit may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnitDeadlines {
    /// To load its model.
    pub load: Duration,
    /// For one inference, at most; measured times shorten it.
    pub inference: Duration,
}

/// A limit of transactions of images a second, below or at what the units can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TpsQuota {
    /// A fixed number.
    Fixed(f64),
    /// What the units in service can do, as measured.
    Measured,
}

impl TpsQuota {
    /// Transactions a second where `measured` is what the units can do.
    pub(super) fn tps(self, measured: f64) -> f64 {
        match self {
            Self::Fixed(tps) => tps,
            Self::Measured => measured,
        }
    }
}

/// Transactions that a quota lets through at once: one second's worth, and at least one.
pub(super) fn burst(tps: f64) -> f64 {
    tps.max(1.0)
}

/// What the box can still carry.
#[derive(Debug)]
pub struct Room<'a> {
    /// Where units are placed.
    pub zones: &'a mut Zones,
    /// The next unit's id.
    pub next_unit: &'a mut u32,
    /// Units that may still be started.
    pub units: usize,
    /// Places that other models need for their minima and do not have yet.
    pub reserved: usize,
    /// What limits them, for the operator.
    pub limit: &'a str,
}
