//! How a frame or an image ended. Exactly one outcome each, all counted.

use serde::{Deserialize, Serialize};

/// Why work was not looked at. Never the same as "nothing was seen".
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ShedReason {
    /// A newer frame of the same camera took its place.
    #[error("a newer frame from the same camera replaced it")]
    Superseded,
    /// It waited longer than `max_frame_age`.
    #[error("it was older than the oldest frame worth looking at")]
    Stale,
    /// The capture process had no free slot to put it in.
    #[error("every slot of the camera was in use")]
    NoFreeSlot,
    /// An image above what the units can do.
    #[error("the inference units have no capacity for it now")]
    Throttled,
    /// An image, and no unit is in service.
    #[error("no inference unit is in service")]
    NoUnits,
    /// An image whose caller waits no longer.
    #[error("its deadline passed before its turn came")]
    Expired,
    /// The model is stopped.
    #[error("the model is not running")]
    ModelStopped,
    /// The appliance is stopping.
    #[error("the appliance is shutting down")]
    Draining,
}

/// Why work that reached a unit has no result.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The unit's process ended while it worked on it.
    #[error("the inference unit died")]
    UnitDied,
    /// The unit did not answer within its deadline and was killed.
    #[error("the inference unit did not answer in time")]
    UnitHung,
    /// ONNX Runtime returned an error.
    #[error("inference failed")]
    InferenceError,
    /// NaN, infinity or another shape than the manifest says.
    #[error("the model's output was not valid")]
    InvalidOutput,
    /// The bytes are not a picture that can be read.
    #[error("the image could not be decoded")]
    InvalidImage,
    /// More pixels, or a longer side, than is looked at.
    #[error("the image has too many pixels")]
    ImageTooLarge,
    /// A shorter side, or a narrower picture, than is looked at.
    #[error("the image is too small or too narrow")]
    ImageTooSmall,
}

/// How one frame or image ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A unit looked at it; it may have found nothing.
    Detected,
    /// It was not looked at.
    Shed(ShedReason),
    /// It was tried and has no result.
    Failed(FailureCause),
}

impl ShedReason {
    /// Every reason, for metrics that start at zero.
    pub const ALL: [Self; 8] = [
        Self::Superseded,
        Self::Stale,
        Self::NoFreeSlot,
        Self::Throttled,
        Self::NoUnits,
        Self::Expired,
        Self::ModelStopped,
        Self::Draining,
    ];

    /// Those that a camera's frame can have.
    pub const OF_FRAMES: [Self; 5] =
        [Self::Superseded, Self::Stale, Self::NoFreeSlot, Self::ModelStopped, Self::Draining];

    /// Those that an image from outside can have.
    pub const OF_IMAGES: [Self; 5] =
        [Self::Throttled, Self::NoUnits, Self::Expired, Self::ModelStopped, Self::Draining];

    /// Its name in metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Stale => "stale",
            Self::NoFreeSlot => "no_free_slot",
            Self::Throttled => "throttled",
            Self::NoUnits => "no_units",
            Self::Expired => "expired",
            Self::ModelStopped => "model_stopped",
            Self::Draining => "draining",
        }
    }
}

impl FailureCause {
    /// Every cause, for metrics that start at zero.
    pub const ALL: [Self; 7] = [
        Self::UnitDied,
        Self::UnitHung,
        Self::InferenceError,
        Self::InvalidOutput,
        Self::InvalidImage,
        Self::ImageTooLarge,
        Self::ImageTooSmall,
    ];

    /// True when another unit would say the same.
    pub const fn is_of_the_image(self) -> bool {
        matches!(self, Self::InvalidImage | Self::ImageTooLarge | Self::ImageTooSmall)
    }

    /// Its name in metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnitDied => "unit_died",
            Self::UnitHung => "unit_hung",
            Self::InferenceError => "inference_error",
            Self::InvalidOutput => "invalid_output",
            Self::InvalidImage => "invalid_image",
            Self::ImageTooLarge => "image_too_large",
            Self::ImageTooSmall => "image_too_small",
        }
    }
}
