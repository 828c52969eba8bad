//! A decoded picture in a slot of shared memory.
//!
//! A slot has 4 MiB, and [`Picture`] cannot describe a larger one. Planes are packed without padding, so width, height and
//! format define the layout. A larger picture stays in the process that decoded it, as a [`PictureLayout`].

use crate::vision::monotonic::Monotonic;
use serde::{Deserialize, Serialize};

/// The size of a slot, and so the maximum size of a frame or an API image.
pub const SLOT_BYTES: usize = 4 * 1024 * 1024;

/// The sample layout of a picture: 4:2:0, 8 bits per sample, named as in GStreamer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum PixelFormat {
    /// Three planes: Y, then U and V at half the width and height.
    I420,
    /// Two planes: Y, then U and V interleaved at half the width and height.
    Nv12,
}

/// The YUV matrix and value range of the samples.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Colorimetry {
    /// BT.709 (HD) when true, BT.601 (SD) when false.
    pub bt709: bool,
    /// 0..=255 when true, 16..=235 when false.
    pub full_range: bool,
}

/// The format and size of a raw picture of any size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PictureLayout {
    /// The sample layout.
    pub format: PixelFormat,
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// The YUV matrix and value range.
    pub colorimetry: Colorimetry,
}

/// The format and size of a raw picture. It fits a slot: [`Picture::new`] and deserialisation check this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPicture", into = "RawPicture")]
pub struct Picture(PictureLayout);

/// Why a picture is invalid.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PictureError {
    /// The width or height is zero.
    #[error("a picture of {width} x {height} has no pixels")]
    Empty {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// It does not fit a slot.
    #[error("a picture of {width} x {height} takes more than {SLOT_BYTES} bytes")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

/// One plane of a picture in a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plane {
    /// Bytes from the start of the slot.
    pub offset: usize,
    /// Samples per row. In the interleaved plane of NV12 a sample is a pair of bytes.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Bytes from the start of one row to the next.
    pub stride: usize,
}

impl PictureLayout {
    /// The size of all planes in bytes.
    pub fn bytes(self) -> usize {
        let luma = self.width as usize * self.height as usize;
        let (chroma_width, chroma_height) = self.chroma_size();
        luma + 2 * chroma_width * chroma_height
    }

    /// Width and height of the chroma planes in samples: half of the picture's, rounded up.
    pub fn chroma_size(self) -> (usize, usize) {
        (self.width.div_ceil(2) as usize, self.height.div_ceil(2) as usize)
    }

    /// The planes in memory order: Y, U, V or Y, UV.
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

impl Picture {
    /// Describes a picture of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`PictureError`] when it has no pixels or does not fit a slot.
    pub fn new(format: PixelFormat, width: u32, height: u32, colorimetry: Colorimetry) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::Empty { width, height });
        }
        if bytes_420(width, height) > SLOT_BYTES as u64 {
            return Err(PictureError::TooLarge { width, height });
        }
        Ok(Self(PictureLayout { format, width, height, colorimetry }))
    }

    /// The same, for whoever takes pictures of any size.
    pub fn layout(self) -> PictureLayout {
        self.0
    }

    /// The sample layout.
    pub fn format(self) -> PixelFormat {
        self.0.format
    }

    /// Width in pixels.
    pub fn width(self) -> u32 {
        self.0.width
    }

    /// Height in pixels.
    pub fn height(self) -> u32 {
        self.0.height
    }

    /// The YUV matrix and value range.
    pub fn colorimetry(self) -> Colorimetry {
        self.0.colorimetry
    }

    /// The size of all planes in bytes, at most [`SLOT_BYTES`].
    pub fn bytes(self) -> usize {
        self.0.bytes()
    }

    /// Width and height of the chroma planes in samples: half of the picture's, rounded up.
    pub fn chroma_size(self) -> (usize, usize) {
        self.0.chroma_size()
    }

    /// The planes in memory order: Y, U, V or Y, UV.
    pub fn planes(self) -> Vec<Plane> {
        self.0.planes()
    }
}

/// Bytes of a 4:2:0 picture without padding. Saturates, so an absurd size only reads as too large.
pub fn bytes_420(width: u32, height: u32) -> u64 {
    let luma = u64::from(width) * u64::from(height);
    let chroma = u64::from(width.div_ceil(2)) * u64::from(height.div_ceil(2));
    luma.saturating_add(2 * chroma)
}

/// An unchecked [`Picture`], as another process sent it.
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
        let PictureLayout { format, width, height, colorimetry } = picture.0;
        Self { format, width, height, colorimetry }
    }
}

/// A decoded frame in a slot of its camera's region.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Number of the sampled frame, counted since the capture process opened the camera.
    pub sequence: u64,
    /// When its last packet arrived.
    pub captured_at: Monotonic,
    /// When it was decoded: from here on it waits for a unit.
    pub decoded_at: Monotonic,
    /// When it was taken by the clock of the camera, in milliseconds since 1970; `None` if the camera does not say.
    pub camera_ms: Option<i64>,
    /// Its place on the timeline of the camera's live video, in microseconds: its fragment says the same.
    pub media_us: u64,
    /// Index of the slot in the camera's region.
    pub slot: u16,
    /// Format and size.
    pub picture: Picture,
}

/// The content of a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum SlotContent {
    /// A raw picture, from a camera.
    Raw(Picture),
    /// A JPEG or PNG file, from an API caller.
    Encoded {
        /// Length of the file, at most [`SLOT_BYTES`].
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
