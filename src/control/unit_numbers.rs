//! The numbers of units in a command, the same over HTTP and MQTT.

use crate::supervisor::FleetError;
use crate::supervisor::pool::UnitBounds;
use serde::Deserialize;

/// The bounds for the number of units, as a client sends them. Both may be absent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitNumbers {
    /// The fewest units.
    pub(crate) min_inference_units: Option<u16>,
    /// The most units; absent: always the minimum.
    pub(crate) max_inference_units: Option<u16>,
}

impl UnitNumbers {
    /// Returns the bounds; `None` if none are given.
    ///
    /// # Errors
    /// [`FleetError::Invalid`] for a maximum without a minimum.
    pub(crate) fn bounds(self) -> Result<Option<UnitBounds>, FleetError> {
        match self {
            Self { min_inference_units: None, max_inference_units: None } => Ok(None),
            _ => self.required_bounds().map(Some),
        }
    }

    /// Returns the bounds where the command must give them.
    ///
    /// # Errors
    /// [`FleetError::Invalid`] without a minimum.
    pub(crate) fn required_bounds(self) -> Result<UnitBounds, FleetError> {
        let min = self.min_inference_units.map(usize::from);
        let min = min.ok_or_else(|| FleetError::Invalid("`min_inference_units` is missing".into()))?;
        Ok(UnitBounds { min, max: self.max_inference_units.map(usize::from) })
    }
}
