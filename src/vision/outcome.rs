//! The outcome of a frame or an image. Each has exactly one, and all are counted.

use serde::{Deserialize, Serialize};

/// Why work was dropped without an inference. Never to be confused with "nothing was detected".
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ShedReason {
    /// A newer frame of the same camera replaced it.
    #[error("a newer frame from the same camera replaced it")]
    Superseded,
    /// It waited longer than `max_frame_age`.
    #[error("it was older than the oldest frame worth looking at")]
    Stale,
    /// The scene was as it was when it was analysed last.
    #[error("nothing had changed in the picture")]
    Still,
    /// The capture process had no free slot for it.
    #[error("every slot of the camera was in use")]
    NoFreeSlot,
    /// Images only: above the capacity of the units.
    #[error("the inference units have no capacity for it now")]
    Throttled,
    /// Images only: no unit is in service.
    #[error("no inference unit is in service")]
    NoUnits,
    /// Images only: its deadline passed while it was queued.
    #[error("its deadline passed before its turn came")]
    Expired,
    /// The model is stopped.
    #[error("the model is not running")]
    ModelStopped,
    /// Frames only: its camera was removed, or is analysed by another model now.
    #[error("the settings have no such camera any more, or give it to another model")]
    CameraRemoved,
    /// The appliance is stopping.
    #[error("the appliance is shutting down")]
    Draining,
}

/// Why work that reached a unit has no result.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The unit's process ended during the inference.
    #[error("the inference unit died")]
    UnitDied,
    /// The unit did not reply within its deadline and was killed.
    #[error("the inference unit did not answer in time")]
    UnitHung,
    /// ONNX Runtime returned an error.
    #[error("inference failed")]
    InferenceError,
    /// The output has NaN, infinity or another shape than the manifest declares.
    #[error("the model's output was not valid")]
    InvalidOutput,
    /// The bytes are not a JPEG or PNG that can be decoded.
    #[error("the image could not be decoded")]
    InvalidImage,
    /// More pixels, or a longer side, than the limits allow.
    #[error("the image has too many pixels")]
    ImageTooLarge,
    /// A shorter side, or a greater aspect ratio, than the limits allow.
    #[error("the image is too small or too narrow")]
    ImageTooSmall,
}

/// The outcome of one frame or image.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A unit analysed it; the result may be empty.
    Detected,
    /// It was dropped without an inference.
    Shed(ShedReason),
    /// It was dispatched to a unit and has no result.
    Failed(FailureCause),
}

impl ShedReason {
    /// Every reason, for metrics that start at zero.
    pub const ALL: [Self; 10] = [
        Self::Superseded,
        Self::Stale,
        Self::Still,
        Self::NoFreeSlot,
        Self::Throttled,
        Self::NoUnits,
        Self::Expired,
        Self::ModelStopped,
        Self::CameraRemoved,
        Self::Draining,
    ];

    /// The reasons that apply to frames of cameras.
    pub const OF_FRAMES: [Self; 7] = [
        Self::Superseded,
        Self::Stale,
        Self::Still,
        Self::NoFreeSlot,
        Self::ModelStopped,
        Self::CameraRemoved,
        Self::Draining,
    ];

    /// The reasons that apply to images of API callers.
    pub const OF_IMAGES: [Self; 5] =
        [Self::Throttled, Self::NoUnits, Self::Expired, Self::ModelStopped, Self::Draining];

    /// Its name in metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Stale => "stale",
            Self::Still => "still",
            Self::NoFreeSlot => "no_free_slot",
            Self::Throttled => "throttled",
            Self::NoUnits => "no_units",
            Self::Expired => "expired",
            Self::ModelStopped => "model_stopped",
            Self::CameraRemoved => "camera_removed",
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

    /// True when the image is the cause: a retry on another unit would fail the same way.
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
