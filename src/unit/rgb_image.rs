//! What the decoders of all formats give, and why they give nothing.

use crate::vision::outcome::FailureCause;

/// A progressive picture has about ten, its thumbnail one more.
pub(super) const MAX_SCANS: usize = 24;

/// An upright picture, three bytes a pixel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RgbImage {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Red, green, blue; rows without padding.
    pub samples: Vec<u8>,
    /// Width and height before it was scaled down while it was decoded, upright.
    pub original: (u32, u32),
}

/// Bytes that are no picture we look at.
#[derive(Debug, thiserror::Error)]
pub enum ImageDecodeError {
    /// Neither JPEG nor PNG.
    #[error("the image is neither JPEG nor PNG")]
    UnknownFormat,
    /// A size that is not wanted here, by its header.
    #[error("an image of {width} x {height} is not looked at here")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Which bound it breaks.
        cause: FailureCause,
    },
    /// A JPEG of so many scans that decoding it would take seconds.
    #[error("the image has more than {MAX_SCANS} scans")]
    TooManyScans,
    /// A JPEG whose end is missing.
    #[error("the image is cut short")]
    CutShort,
    /// A JPEG that libjpeg gives up.
    #[error("the image is damaged")]
    Damaged,
    /// Damaged, or larger than the limits.
    #[error("the image cannot be decoded")]
    Unreadable(#[source] image::ImageError),
}

impl ImageDecodeError {
    /// As which failure it counts.
    pub fn cause(&self) -> FailureCause {
        match self {
            Self::Size { cause, .. } => *cause,
            _ => FailureCause::InvalidImage,
        }
    }
}
