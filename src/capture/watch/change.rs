//! What comparing a picture with its scene can find.

use crate::vision::geometry::NormalizedBox;

/// Why a picture does or does not count as changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::capture) enum Cause {
    /// The scene is not known yet: one of the first pictures, or the first of another size.
    Unknown,
    /// Nothing but noise.
    Still,
    /// Something is there that was not, or is gone.
    Movement,
    /// Only the light or the camera's gain changed.
    Light,
    /// It is another picture: the camera switched between day and night, or was moved.
    Infrared,
    /// Only the camera shook.
    Jitter,
    /// It is another picture, and a flat one: see `tamper`.
    Covered,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::capture) struct Change {
    /// Whether the picture is to be looked at.
    pub(in crate::capture) moved: bool,
    /// What made the difference.
    pub(in crate::capture) cause: Cause,
    /// The share of the picture that changed, 0..=1.
    pub(in crate::capture) area: f32,
    /// By how much it changed where it changed most, in grey levels.
    pub(in crate::capture) contrast: f32,
    /// Where it changed, the strongest first; empty where the whole picture is to be looked at.
    pub(in crate::capture) places: Vec<NormalizedBox>,
}
