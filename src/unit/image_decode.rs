//! Decodes JPEG and PNG to RGB. Limits are checked before memory is allocated.

pub use crate::unit::rgb_image::{ImageDecodeError, RgbImage};

use crate::unit::jpeg_decode;
use crate::unit::png_decode;
use crate::vision::image_limits::ImageLimits;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Memory limit of a decoder: the largest RGB picture and the decoder's own buffers.
const MAX_BYTES: u64 = 96 * 1024 * 1024;

/// Decodes a JPEG or PNG. A JPEG is turned upright by its EXIF orientation. An image much larger than `wanted` (width
/// and height in pixels) is scaled down while it is decoded.
///
/// # Errors
/// [`ImageDecodeError`]. An image outside the limits is refused by its header, before it is decoded.
pub fn decode(bytes: &[u8], limits: &ImageLimits, wanted: (u32, u32)) -> Result<RgbImage, ImageDecodeError> {
    let format = image::guess_format(bytes).map_err(|_| ImageDecodeError::UnknownFormat)?;
    match format {
        ImageFormat::Jpeg => match jpeg_decode::decode(bytes, limits, wanted)? {
            Some((image, orientation)) => Ok(turn(image, orientation)),
            None => decode_whole(bytes, limits),
        },
        ImageFormat::Png => png_decode::decode(bytes, limits, wanted),
        _ => Err(ImageDecodeError::UnknownFormat),
    }
}

/// Decodes a JPEG in a colour space that libjpeg does not convert to RGB, such as CMYK.
fn decode_whole(bytes: &[u8], limits: &ImageLimits) -> Result<RgbImage, ImageDecodeError> {
    let mut memory = Limits::default();
    memory.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    reader.limits(memory.clone());
    let mut decoder = reader.into_decoder().map_err(ImageDecodeError::Unreadable)?;
    let (width, height) = decoder.dimensions();
    limits.check(width, height).map_err(|cause| ImageDecodeError::Size { width, height, cause })?;
    // The decoder does not count its output buffer.
    memory.reserve(decoder.total_bytes()).map_err(ImageDecodeError::Unreadable)?;
    let orientation = decoder.orientation().map_err(ImageDecodeError::Unreadable)?;
    let image = DynamicImage::from_decoder(decoder).map_err(ImageDecodeError::Unreadable)?.into_rgb8();
    let samples = image.into_raw();
    Ok(turn(RgbImage { width, height, samples, original: (width, height) }, orientation))
}

fn turn(image: RgbImage, orientation: Orientation) -> RgbImage {
    let RgbImage { width, height, samples, original } = image;
    if orientation == Orientation::NoTransforms {
        return RgbImage { width, height, samples, original };
    }
    // Always succeeds: the decoders return width * height pixels.
    let Some(buffer) = image::RgbImage::from_raw(width, height, samples) else {
        return RgbImage { width: 0, height: 0, samples: Vec::new(), original };
    };
    let mut turned = DynamicImage::from(buffer);
    turned.apply_orientation(orientation);
    let turned = turned.into_rgb8();
    let is_on_its_side = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let original = if is_on_its_side { (original.1, original.0) } else { original };
    RgbImage { width: turned.width(), height: turned.height(), samples: turned.into_raw(), original }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageEncoder as _;

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
    fn a_png_is_not_turned_by_its_exif_data() {
        let (mut bytes, mut exif) = (Vec::new(), Vec::new());
        // TIFF, little endian: one entry, the orientation (tag 0x0112, a short), which is a quarter turn.
        for part in [&b"II*\0\x08\0\0\0"[..], b"\x01\0", b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", b"\0\0\0\0"] {
            exif.extend_from_slice(part);
        }
        assert_eq!(Orientation::from_exif_chunk(&exif), Some(Orientation::Rotate90));
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&[1; 3 * 30 * 20], 30, 20, image::ExtendedColorType::Rgb8).unwrap();
        let decoded = decode(&bytes, &ImageLimits::default(), (30, 20)).unwrap();
        assert_eq!((decoded.width, decoded.height), (30, 20));
    }

    #[test]
    fn bytes_that_are_not_a_picture_are_an_error() {
        assert!(matches!(decode(b"hello", &ImageLimits::default(), (8, 8)), Err(ImageDecodeError::UnknownFormat)));
        assert!(matches!(decode(b"", &ImageLimits::default(), (8, 8)), Err(ImageDecodeError::UnknownFormat)));
        let cut = png(30, 20);
        assert!(matches!(
            decode(&cut[..cut.len() / 2], &ImageLimits::default(), (8, 8)),
            Err(ImageDecodeError::Damaged)
        ));
    }

    #[test]
    fn a_picture_with_a_false_size_is_refused_by_its_header() {
        let mut bomb = png(3, 2);
        // IHDR: width and height at offset 16; its checksum at 29 then no longer fits, or the limit refuses first.
        bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
        assert!(decode(&bomb, &ImageLimits::default(), (8, 8)).is_err());
    }
}
