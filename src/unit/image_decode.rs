//! JPEG and PNG bytes to RGB, within limits that are checked before memory is taken.

use crate::vision::image_limits::ImageLimits;
use crate::vision::outcome::FailureCause;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

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

/// The most memory a decoder may take: a picture of the most pixels in RGB and what the decoder needs beside it.
const MAX_BYTES: u64 = 96 * 1024 * 1024;

/// A progressive picture has about ten, its thumbnail one more.
const MAX_SCANS: usize = 24;

/// Decodes an image and turns it upright by its EXIF orientation.
///
/// # Errors
/// [`ImageDecodeError`]; a picture outside the limits is refused by its header, before it is decoded.
pub fn decode(bytes: &[u8], limits: &ImageLimits, _wanted: (u32, u32)) -> Result<RgbImage, ImageDecodeError> {
    let format = image::guess_format(bytes).map_err(|_| ImageDecodeError::UnknownFormat)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
        return Err(ImageDecodeError::UnknownFormat);
    }
    if format == ImageFormat::Jpeg {
        check_scans(bytes)?;
    }
    let mut memory = Limits::default();
    memory.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(memory.clone());
    let mut decoder = reader.into_decoder().map_err(ImageDecodeError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    limits.check(width, height).map_err(|cause| ImageDecodeError::Size { width, height, cause })?;
    // What the samples take has to be asked for.
    memory.reserve(decoder.total_bytes()).map_err(ImageDecodeError::Unreadable)?;
    let orientation = decoder.orientation().map_err(ImageDecodeError::Unreadable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(ImageDecodeError::Unreadable)?;
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    let (width, height) = rgb.dimensions();
    Ok(RgbImage { width, height, samples: rgb.into_raw(), original: (width, height) })
}

/// Counts start-of-scan markers, and looks for the end of the image behind the last of them: decoders make up what
/// is missing, and a picture that is half grey shows what is not there. In entropy-coded bytes no other marker stands.
fn check_scans(bytes: &[u8]) -> Result<(), ImageDecodeError> {
    let (mut scans, mut is_ended) = (0, false);
    for pair in bytes.windows(2) {
        match pair {
            [0xff, 0xda] => (scans, is_ended) = (scans + 1, false),
            [0xff, 0xd9] => is_ended = true,
            _ => {}
        }
    }
    match (scans, is_ended) {
        (1..=MAX_SCANS, true) => Ok(()),
        (1..=MAX_SCANS, false) | (0, _) => Err(ImageDecodeError::CutShort),
        _ => Err(ImageDecodeError::TooManyScans),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbImage::from_pixel(width, height, image::Rgb([1, 2, 3]));
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn a_png_becomes_rgb() {
        let image = decode(&png(3, 2), &ImageLimits::default(), (8, 8)).unwrap();
        assert_eq!((image.width, image.height), (3, 2));
        assert_eq!(image.samples, [1, 2, 3].repeat(6));
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        assert!(matches!(decode(b"hello", &ImageLimits::default(), (8, 8)), Err(ImageDecodeError::UnknownFormat)));
        assert!(matches!(decode(b"", &ImageLimits::default(), (8, 8)), Err(ImageDecodeError::UnknownFormat)));
        let cut = png(30, 20);
        assert!(matches!(
            decode(&cut[..cut.len() / 2], &ImageLimits::default(), (8, 8)),
            Err(ImageDecodeError::Unreadable(_))
        ));
    }

    #[test]
    fn a_picture_that_lies_about_its_size_is_refused_by_its_header() {
        let mut bomb = png(3, 2);
        // IHDR: width and height at offset 16; its checksum at 29 then no longer fits, or the limit refuses first.
        bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
        assert!(decode(&bomb, &ImageLimits::default(), (8, 8)).is_err());
    }
}
