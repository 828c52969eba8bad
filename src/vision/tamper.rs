//! What was done to a camera, so that it does not see what it should.

use serde::{Deserialize, Serialize};

/// How a camera was made blind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TamperKind {
    /// Its picture is flat or dark, and shows nothing of the scene.
    Covered,
    /// Its picture has lost what is fine: sprayed, wet or out of focus.
    Blurred,
    /// It looks at another scene.
    Turned,
}

impl TamperKind {
    /// Its name in JSON and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Blurred => "blurred",
            Self::Turned => "turned away",
        }
    }
}
