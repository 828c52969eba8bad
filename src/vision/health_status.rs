//! Whether a box is as it should be, in one word.

use serde::{Deserialize, Serialize};

/// Whether a box is as it should be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum HealthStatus {
    /// Nothing is wrong.
    Ok,
    /// Something is wrong: the reasons say what.
    #[default]
    Degraded,
}

impl HealthStatus {
    /// The word for whether something `is_wrong`.
    pub fn of(is_wrong: bool) -> Self {
        if is_wrong { Self::Degraded } else { Self::Ok }
    }
}
