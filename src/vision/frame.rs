//! A decoded picture as it lies in a slot of shared memory.
//!
//! The 4 MiB limit is physical: a slot has that size and nothing larger can be described by
//! these types. Planes are packed tightly, so width, height and format say everything.

use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};

/// The size of a slot, and so the most a frame or an API image may take.
pub const SLOT_BYTES: usize = 4 * 1024 * 1024;

/// How the samples of a picture are laid out (4:2:0, 8 bit, the names that GStreamer uses).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum PixelFormat {
    /// Three planes: Y, then U and V at half the width and height.
    I420,
    /// Two planes: Y, then U and V interleaved at half the width and height.
    Nv12,
}

/// Which matrix and range the samples use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Colorimetry {
    /// BT.709 (HD) when true, BT.601 (SD) when false.
    pub bt709: bool,
    /// 0..=255 when true, 16..=235 when false.
    pub full_range: bool,
}

/// Format and size of a raw picture that fits a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPicture", into = "RawPicture")]
pub struct Picture {
    format: PixelFormat,
    width: u32,
    height: u32,
    colorimetry: Colorimetry,
}

/// A picture that cannot be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PictureError {
    /// Neither side may be zero.
    #[error("a picture of {width} x {height} has no pixels")]
    Empty {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// It does not fit the slot.
    #[error("a picture of {width} x {height} takes more than {SLOT_BYTES} bytes")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// One plane inside a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plane {
    /// Where it begins, in bytes from the start of the slot.
    pub offset: usize,
    /// Samples a row. For the interleaved plane of NV12 a sample is a pair of bytes.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

impl Picture {
    /// Checks that the picture has pixels and fits a slot.
    ///
    /// # Errors
    /// [`PictureError`] when it has none or does not fit.
    pub fn new(format: PixelFormat, width: u32, height: u32, colorimetry: Colorimetry) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::Empty { width, height });
        }
        if bytes_420(width, height) > SLOT_BYTES as u64 {
            return Err(PictureError::TooLarge { width, height });
        }
        Ok(Self { format, width, height, colorimetry })
    }

    /// The layout of its samples.
    pub fn format(self) -> PixelFormat {
        self.format
    }

    /// Pixels a row.
    pub fn width(self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(self) -> u32 {
        self.height
    }

    /// Matrix and range.
    pub fn colorimetry(self) -> Colorimetry {
        self.colorimetry
    }

    /// What it takes of its slot.
    pub fn bytes(self) -> usize {
        let luma = self.width as usize * self.height as usize;
        let (chroma_width, chroma_height) = self.chroma_size();
        luma + 2 * chroma_width * chroma_height
    }

    /// Width and height of the chroma planes: half, rounded up.
    pub fn chroma_size(self) -> (usize, usize) {
        (self.width.div_ceil(2) as usize, self.height.div_ceil(2) as usize)
    }

    /// The planes in the order of the format: Y, U, V or Y, UV.
    pub fn planes(self) -> Vec<Plane> {
        let (width, height) = (self.width as usize, self.height as usize);
        let (chroma_width, chroma_height) = self.chroma_size();
        let luma = Plane { offset: 0, width, height, stride: width };
        let chroma = |offset, stride| Plane { offset, width: chroma_width, height: chroma_height, stride };
        let first = width * height;
        match self.format {
            PixelFormat::I420 => {
                vec![luma, chroma(first, chroma_width), chroma(first + chroma_width * chroma_height, chroma_width)]
            }
            PixelFormat::Nv12 => vec![luma, chroma(first, 2 * chroma_width)],
        }
    }
}

/// Bytes of a tightly packed 4:2:0 picture; saturates, so that a size no picture has is merely too large.
pub fn bytes_420(width: u32, height: u32) -> u64 {
    let luma = u64::from(width) * u64::from(height);
    let chroma = u64::from(width.div_ceil(2)) * u64::from(height.div_ceil(2));
    luma.saturating_add(2 * chroma)
}

/// What a peer sent; checked on the way in.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct RawPicture {
    format: PixelFormat,
    width: u32,
    height: u32,
    colorimetry: Colorimetry,
}

impl TryFrom<RawPicture> for Picture {
    type Error = PictureError;
    fn try_from(raw: RawPicture) -> Result<Self, PictureError> {
        Self::new(raw.format, raw.width, raw.height, raw.colorimetry)
    }
}

impl From<Picture> for RawPicture {
    fn from(picture: Picture) -> Self {
        let Picture { format, width, height, colorimetry } = picture;
        Self { format, width, height, colorimetry }
    }
}

/// A frame that lies ready in a slot of its camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Counts the sampled frames of a camera since its capture process opened it.
    pub sequence: u64,
    /// When the decoder handed it over.
    pub captured_at: Monotonic,
    /// The slot of the camera's region.
    pub slot: u16,
    /// Format and size.
    pub picture: Picture,
}

/// What a slot holds, for whoever reads it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum SlotContent {
    /// A raw picture, from a camera.
    Raw(Picture),
    /// This many bytes of JPEG or PNG, from a caller.
    Encoded {
        /// At most [`SLOT_BYTES`].
        bytes: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(format: PixelFormat, width: u32, height: u32) -> Result<Picture, PictureError> {
        Picture::new(format, width, height, Colorimetry::default())
    }

    #[test]
    fn a_full_hd_picture_fits_a_slot_and_a_4k_one_does_not() {
        assert_eq!(picture(PixelFormat::I420, 1920, 1080).unwrap().bytes(), 3_110_400);
        assert!(picture(PixelFormat::I420, 3840, 2160).is_err());
        assert!(picture(PixelFormat::I420, u32::MAX, u32::MAX).is_err());
        assert!(picture(PixelFormat::I420, 0, 5).is_err());
    }

    #[test]
    fn the_planes_of_an_odd_picture_fill_it_exactly() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let odd = picture(format, 7, 5).unwrap();
            let last = *odd.planes().last().unwrap();
            assert_eq!(last.offset + last.stride * last.height, odd.bytes());
            assert_eq!(odd.bytes(), 35 + 2 * 4 * 3);
        }
    }

    #[test]
    fn a_picture_that_does_not_fit_cannot_be_received() {
        let raw =
            RawPicture { format: PixelFormat::I420, width: 9999, height: 9999, colorimetry: Colorimetry::default() };
        let bytes = postcard::to_allocvec(&raw).unwrap();
        assert!(postcard::from_bytes::<Picture>(&bytes).is_err());
    }
}
