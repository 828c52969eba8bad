//! JPEG and PNG bytes to RGB, within limits that are checked before memory is taken.

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
}

/// Bytes that are no picture we look at.
#[derive(Debug, thiserror::Error)]
pub enum ImageDecodeError {
    /// Neither JPEG nor PNG.
    #[error("the image is neither JPEG nor PNG")]
    UnknownFormat,
    /// Damaged, or larger than the limits.
    #[error("the image cannot be decoded")]
    Unreadable(#[source] image::ImageError),
}

/// The longest side.
const MAX_SIDE: u32 = 8192;

/// The most memory a decoder may take: a 4096 x 4096 picture in RGB and what the decoder needs beside it.
const MAX_BYTES: u64 = 96 * 1024 * 1024;

/// Decodes an image and turns it upright by its EXIF orientation.
///
/// # Errors
/// [`ImageDecodeError`]; a picture above the limits is refused by its header, before it is decoded.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, ImageDecodeError> {
    let format = image::guess_format(bytes).map_err(|_| ImageDecodeError::UnknownFormat)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
        return Err(ImageDecodeError::UnknownFormat);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(ImageDecodeError::Unreadable)?;
    // The decoder checks the sides by itself; what the samples take has to be asked for.
    limits.reserve(decoder.total_bytes()).map_err(ImageDecodeError::Unreadable)?;
    let orientation = decoder.orientation().map_err(ImageDecodeError::Unreadable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(ImageDecodeError::Unreadable)?;
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    Ok(RgbImage { width: rgb.width(), height: rgb.height(), samples: rgb.into_raw() })
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
        let image = decode(&png(3, 2)).unwrap();
        assert_eq!((image.width, image.height), (3, 2));
        assert_eq!(image.samples, [1, 2, 3].repeat(6));
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        assert!(matches!(decode(b"hello"), Err(ImageDecodeError::UnknownFormat)));
        assert!(matches!(decode(b""), Err(ImageDecodeError::UnknownFormat)));
        let cut = png(30, 20);
        assert!(matches!(decode(&cut[..cut.len() / 2]), Err(ImageDecodeError::Unreadable(_))));
    }

    #[test]
    fn a_picture_that_lies_about_its_size_is_refused_by_its_header() {
        let mut bomb = png(3, 2);
        // IHDR: width and height at offset 16; its checksum at 29 then no longer fits, or the limit refuses first.
        bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
        assert!(decode(&bomb).is_err());
    }
}
