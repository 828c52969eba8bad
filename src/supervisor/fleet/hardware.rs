//! The limits and zones of the box.

use crate::model::execution_provider::ExecutionProvider;
use std::path::PathBuf;

/// The limits of the box.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BoxLimits {
    /// The most units of all models together.
    pub units: usize,
    /// The most models that run at the same time.
    pub models: usize,
    /// Memory in bytes that units must leave free.
    pub reserve_bytes: u64,
}

/// The settings of a zone that its units get when they load.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ZonePlacement {
    /// The zone's unique name.
    pub name: String,
    /// The cores of its units; empty: any.
    pub cores: Vec<u16>,
    /// Overrides the model's execution provider.
    pub execution_provider: Option<ExecutionProvider>,
    /// The library of the provider that it overrides with.
    pub runtime_library: Option<PathBuf>,
    /// The device, in the provider's notation. `None`: the model's, or the default of a provider that the zone
    /// overrides.
    pub device: Option<String>,
}
