//! What the fleet is told of the box: its limits, and its zones.

use crate::model::execution_provider::ExecutionProvider;

/// What the box can carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BoxLimits {
    /// Units of all models together.
    pub units: usize,
    /// Models that run at a time.
    pub models: usize,
    /// Bytes that stay free beside the units.
    pub reserve_bytes: u64,
}

/// What a unit's process is told about its zone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ZonePlacement {
    /// Unique.
    pub name: String,
    /// The cores of its units; none: any.
    pub cores: Vec<u16>,
    /// What computes there, if not what the model says.
    pub execution_provider: Option<ExecutionProvider>,
    /// Which of its devices, in the provider's words; none: that of the model, if the zone names no other provider.
    pub device: Option<String>,
}
