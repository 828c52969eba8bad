//! The result and the errors of the image decoders.

use crate::vision::outcome::FailureCause;

/// Limit of scans per JPEG. A progressive picture has about ten, and its thumbnail one more.
pub(super) const MAX_SCANS: usize = 24;

/// A decoded picture with three bytes per pixel, upright after EXIF orientation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RgbImage {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Interleaved RGB; rows without padding.
    pub samples: Vec<u8>,
    /// Width and height in pixels before scaling down, upright.
    pub original: (u32, u32),
}

/// Why an image was not decoded.
#[derive(Debug, thiserror::Error)]
pub enum ImageDecodeError {
    /// The bytes have the signature of neither format.
    #[error("the image is neither JPEG nor PNG")]
    UnknownFormat,
    /// The size in the header is outside the limits.
    #[error("an image of {width} x {height} is not accepted")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Too large or too small.
        cause: FailureCause,
    },
    /// A JPEG with so many scans that decoding would take seconds.
    #[error("the image has more than {MAX_SCANS} scans")]
    TooManyScans,
    /// The end of the image is missing.
    #[error("the image is truncated")]
    CutShort,
    /// The JPEG or PNG decoder failed.
    #[error("the image is damaged")]
    Damaged,
    /// A JPEG in another colour space is damaged, or exceeds the memory limit.
    #[error("the image cannot be decoded")]
    Unreadable(#[source] image::ImageError),
}

impl ImageDecodeError {
    /// The failure as which it is counted.
    pub fn cause(&self) -> FailureCause {
        match self {
            Self::Size { cause, .. } => *cause,
            _ => FailureCause::InvalidImage,
        }
    }
}
