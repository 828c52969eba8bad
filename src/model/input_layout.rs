//! `[input]` of a manifest: what a picture has to become before a model can look at it.

use serde::{Deserialize, Serialize};

/// Type of the samples in the tensor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleType {
    /// Nearly every model.
    #[default]
    Float32,
    /// Models converted for GPUs.
    Float16,
    /// Quantised models; they take the samples as they are, so mean and std must be absent.
    Uint8,
}

/// Order of the tensor's axes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TensorAxes {
    /// `[1,3,height,width]`: PyTorch and its kin.
    #[default]
    Nchw,
    /// `[1,height,width,3]`: TensorFlow.
    Nhwc,
}

/// Order of the colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a picture is fitted into the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Stretched; the aspect is lost.
    Stretch,
    /// Scaled with its aspect, at the top left; the rest is padding.
    LetterboxTopLeft,
    /// Scaled with its aspect, in the middle; the rest is padding.
    LetterboxCenter,
    /// The middle of the picture in the input's aspect; what lies outside is not looked at. For classifiers.
    CenterCrop,
}

/// How samples are made fewer or more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// Bilinear with a support that grows with the scale, so that every sample of a large picture counts.
    #[default]
    Antialias,
    /// Of the nearest two samples each way, as OpenCV's `INTER_LINEAR`: what many models were trained on.
    Bilinear,
    /// Of the nearest four samples each way, sharper.
    Bicubic,
}

/// What goes in: each value `(sample - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLayout {
    /// Name of the tensor.
    pub tensor: String,
    /// Pixels; of a model that takes any size, the size that it is to be given.
    pub width: u32,
    /// Pixels; as the width.
    pub height: u32,
    /// Type of the samples.
    #[serde(default)]
    pub samples: SampleType,
    /// Order of the axes.
    #[serde(default)]
    pub axes: TensorAxes,
    /// Order of the colours.
    pub color: ColorOrder,
    /// How a picture is fitted in.
    pub fit: Fit,
    /// The share of the picture that [`Fit::CenterCrop`] keeps of what it could, above 0 to 1.
    #[serde(default = "whole")]
    pub crop: f32,
    /// How it is scaled.
    #[serde(default)]
    pub resize: Resampling,
    /// Grey of the padding.
    #[serde(default)]
    pub pad: u8,
    /// By colour, in the order of the tensor.
    #[serde(default)]
    pub mean: [f32; 3],
    /// By colour, in the order of the tensor.
    #[serde(default = "ones")]
    pub std: [f32; 3],
}

fn whole() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

/// The largest side of an input; a larger one is a mistake.
const MAX_SIDE: u32 = 4096;

impl InputLayout {
    /// An input of samples as they are, stretched: what the other fields refine.
    pub fn plain(tensor: &str, width: u32, height: u32) -> Self {
        Self {
            tensor: tensor.to_owned(),
            width,
            height,
            samples: SampleType::Float32,
            axes: TensorAxes::Nchw,
            color: ColorOrder::Rgb,
            fit: Fit::Stretch,
            crop: whole(),
            resize: Resampling::Antialias,
            pad: 0,
            mean: [0.0; 3],
            std: ones(),
        }
    }

    /// The shape of the tensor for so many pictures.
    pub fn shape(&self, batch: usize) -> [usize; 4] {
        let (width, height) = (self.width as usize, self.height as usize);
        match self.axes {
            TensorAxes::Nchw => [batch, 3, height, width],
            TensorAxes::Nhwc => [batch, height, width, 3],
        }
    }

    /// The first value that cannot be, and what it must be.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let takes_samples_as_they_are = self.mean == [0.0; 3] && self.std == ones();
        let checks = [
            (!self.tensor.is_empty(), "input.tensor", "must name the model's input"),
            ((1..=MAX_SIDE).contains(&self.width), "input.width", "must be 1 to 4096"),
            ((1..=MAX_SIDE).contains(&self.height), "input.height", "must be 1 to 4096"),
            (self.std.iter().all(|std| std.is_normal()), "input.std", "must not be zero"),
            (self.mean.iter().all(|mean| mean.is_finite()), "input.mean", "must be numbers"),
            (self.crop > 0.0 && self.crop <= 1.0, "input.crop", "must be above 0, to 1"),
            (self.fit == Fit::CenterCrop || self.crop == 1.0, "input.crop", "goes with `fit = \"center_crop\"` only"),
            (
                self.samples != SampleType::Uint8 || takes_samples_as_they_are,
                "input.samples",
                "of uint8 cannot be normalised: leave `mean` and `std` away",
            ),
        ];
        checks.into_iter().find(|(is_right, ..)| !is_right).map(|(_, key, why)| (key, why))
    }
}
