//! `[input]` of a manifest: how a picture becomes the input tensor (preprocessing).

use serde::{Deserialize, Serialize};

/// Element type of the input tensor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleType {
    /// 32-bit floating point: nearly all models.
    #[default]
    Float32,
    /// 16-bit floating point: models converted for GPUs.
    Float16,
    /// Bytes, for quantised models. Samples are not normalised, so `mean` and `std` must be absent.
    Uint8,
}

/// Order of the input tensor's axes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TensorAxes {
    /// `[1,3,height,width]`: PyTorch and similar.
    #[default]
    Nchw,
    /// `[1,height,width,3]`: TensorFlow.
    Nhwc,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a picture is fitted into the input size.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Stretched to the input size; the aspect ratio is lost.
    Stretch,
    /// Scaled with its aspect ratio to the top left; the rest is padding.
    LetterboxTopLeft,
    /// Scaled with its aspect ratio to the centre; the rest is padding.
    LetterboxCenter,
    /// The largest centred crop with the input's aspect ratio, times `crop`. For classifiers.
    CenterCrop,
}

/// The resampling filter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// Bilinear with a support that grows with the scale, so that downscaling uses every sample.
    #[default]
    Antialias,
    /// The nearest 2 x 2 samples, as OpenCV's `INTER_LINEAR`, with which many models were trained.
    Bilinear,
    /// The nearest 4 x 4 samples, as OpenCV's `INTER_CUBIC`; sharper.
    Bicubic,
}

/// The input tensor. Each value is `(sample - mean) / std`, with samples of 0 to 255.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLayout {
    /// Name of the input in the graph.
    pub tensor: String,
    /// In pixels, 1..=4096. A model with dynamic axes is given this size.
    pub width: u32,
    /// In pixels, 1..=4096. A model with dynamic axes is given this size.
    pub height: u32,
    /// Element type.
    #[serde(default)]
    pub samples: SampleType,
    /// Order of the axes.
    #[serde(default)]
    pub axes: TensorAxes,
    /// Order of the channels.
    pub color: ColorOrder,
    /// How a picture is fitted into `width` x `height`.
    pub fit: Fit,
    /// For [`Fit::CenterCrop`] only: the share of the largest crop's sides that is kept, above 0 to 1.
    #[serde(default = "whole")]
    pub crop: f32,
    /// The resampling filter.
    #[serde(default)]
    pub resize: Resampling,
    /// Grey value of the padding of a letterbox, 0..=255.
    #[serde(default)]
    pub pad: u8,
    /// Per channel, in the order of `color`.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Per channel, in the order of `color`; not zero.
    #[serde(default = "ones")]
    pub std: [f32; 3],
}

fn whole() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

/// The maximum width and height. A larger value is taken for an error in the manifest.
const MAX_SIDE: u32 = 4096;

impl InputLayout {
    /// A float32 NCHW input: RGB, stretched and not normalised. Callers replace single fields.
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

    /// The tensor's shape for a batch of `batch` pictures.
    pub fn shape(&self, batch: usize) -> [usize; 4] {
        let (width, height) = (self.width as usize, self.height as usize);
        match self.axes {
            TensorAxes::Nchw => [batch, 3, height, width],
            TensorAxes::Nhwc => [batch, height, width, 3],
        }
    }

    /// The first invalid key, and what it must be.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let takes_samples_as_they_are = self.mean == [0.0; 3] && self.std == ones();
        let checks = [
            (!self.tensor.is_empty(), "input.tensor", "must name the model's input"),
            ((1..=MAX_SIDE).contains(&self.width), "input.width", "must be 1 to 4096"),
            ((1..=MAX_SIDE).contains(&self.height), "input.height", "must be 1 to 4096"),
            (self.std.iter().all(|std| std.is_normal()), "input.std", "must not be zero"),
            (self.mean.iter().all(|mean| mean.is_finite()), "input.mean", "must be numbers"),
            (self.crop > 0.0 && self.crop <= 1.0, "input.crop", "must be above 0 and at most 1"),
            (self.fit == Fit::CenterCrop || self.crop == 1.0, "input.crop", "needs `fit = \"center_crop\"`"),
            (
                self.samples != SampleType::Uint8 || takes_samples_as_they_are,
                "input.samples",
                "of uint8 cannot be normalised: remove `mean` and `std`",
            ),
        ];
        checks.into_iter().find(|(is_right, ..)| !is_right).map(|(_, key, why)| (key, why))
    }
}
