//! The numbers of units that a command carries, whichever way it comes.

use crate::supervisor::FleetError;
use crate::supervisor::pool::UnitBounds;
use serde::Deserialize;

/// Both may be absent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitNumbers {
    /// At least.
    pub(crate) min_inference_units: Option<u16>,
    /// At most; absent, the number is fixed.
    pub(crate) max_inference_units: Option<u16>,
}

impl UnitNumbers {
    /// The bounds, if some are given.
    ///
    /// # Errors
    /// [`FleetError::Invalid`] for a maximum without a minimum.
    pub(crate) fn bounds(self) -> Result<Option<UnitBounds>, FleetError> {
        match self {
            Self { min_inference_units: None, max_inference_units: None } => Ok(None),
            _ => self.needed().map(Some),
        }
    }

    /// The bounds, which have to be given.
    ///
    /// # Errors
    /// [`FleetError::Invalid`] without a minimum.
    pub(crate) fn needed(self) -> Result<UnitBounds, FleetError> {
        let min = self.min_inference_units.map(usize::from);
        let min = min.ok_or_else(|| FleetError::Invalid("`min_inference_units` is missing".into()))?;
        Ok(UnitBounds { min, max: self.max_inference_units.map(usize::from) })
    }
}
