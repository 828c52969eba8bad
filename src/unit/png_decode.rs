//! Decodes PNG row by row and averages the rows down, so that only the small picture takes memory.
//!
//! The `image` crate decodes the whole picture: 117 MB for 4096 x 4096 with transparency, for a model's 300 x 300.

use crate::unit::rgb_image::{ImageDecodeError, RgbImage};
use crate::vision::image_limits::ImageLimits;
use png::{ColorType, Decoder, Limits, Transformations};
use std::io::Cursor;

/// Memory limit for other data than samples: compressed profiles and texts can expand a thousandfold.
const BESIDE_BYTES: usize = 4 * 1024 * 1024;

/// Decodes a PNG, not below the `wanted` size. Ignores transparency.
///
/// # Errors
/// [`ImageDecodeError`]. An image outside the limits is refused by its header, before it is decoded.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits, wanted: (u32, u32)) -> Result<RgbImage, ImageDecodeError> {
    let damaged = |_| ImageDecodeError::Damaged;
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: BESIDE_BYTES });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height, is_interlaced) = (header.width, header.height, header.interlaced);
    limits.check(width, height).map_err(|cause| ImageDecodeError::Size { width, height, cause })?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let samples = match reader.output_color_type().0 {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err(ImageDecodeError::Damaged),
    };
    let mut averaged = Averaged::new(width, height, factor((width, height), wanted));
    if is_interlaced {
        // Each pass covers the whole picture, so rows are complete only after the last one.
        let size = reader.output_buffer_size().ok_or(ImageDecodeError::Damaged)?;
        let mut whole = vec![0; size];
        reader.next_frame(&mut whole).map_err(damaged)?;
        whole.chunks_exact(width as usize * samples).for_each(|row| averaged.add(row, samples));
    } else {
        while let Some(row) = reader.next_row().map_err(damaged)? {
            averaged.add(row.data(), samples);
        }
    }
    averaged.finish().ok_or(ImageDecodeError::CutShort)
}

/// The largest integer by which both sides can be divided without falling below `wanted`.
fn factor((width, height): (u32, u32), wanted: (u32, u32)) -> u32 {
    (width.min(height) / wanted.0.max(wanted.1).max(1)).max(1)
}

/// Averages blocks of `factor` x `factor` pixels, row by row.
struct Averaged {
    factor: usize,
    width: usize,
    height: usize,
    original: (u32, u32),
    sums: Vec<u32>,
    rows: usize,
    samples: Vec<u8>,
}

impl Averaged {
    fn new(width: u32, height: u32, factor: u32) -> Self {
        let (columns, rows) = ((width / factor) as usize, (height / factor) as usize);
        Self {
            factor: factor as usize,
            width: columns,
            height: rows,
            original: (width, height),
            sums: vec![0; 3 * columns],
            rows: 0,
            samples: Vec::with_capacity(3 * columns * rows),
        }
    }

    /// Adds a row with `samples` values per pixel. Incomplete blocks at the right and bottom are dropped.
    fn add(&mut self, row: &[u8], samples: usize) {
        let group = self.factor * samples;
        for (sums, pixels) in self.sums.chunks_exact_mut(3).zip(row.chunks_exact(group)) {
            for pixel in pixels.chunks_exact(samples) {
                let color = if samples < 3 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
                sums.iter_mut().zip(color).for_each(|(sum, sample)| *sum += u32::from(sample));
            }
        }
        self.rows += 1;
        if self.rows.is_multiple_of(self.factor) && self.samples.len() < 3 * self.width * self.height {
            let count = u32::try_from(self.factor * self.factor).unwrap_or(u32::MAX);
            let average = |sum: &u32| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX);
            self.samples.extend(self.sums.iter().map(average));
            self.sums.fill(0);
        }
    }

    /// Returns the picture if all rows were added.
    fn finish(self) -> Option<RgbImage> {
        let (width, height) = (u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?);
        let is_whole = self.samples.len() == 3 * self.width * self.height;
        is_whole.then_some(RgbImage { width, height, samples: self.samples, original: self.original })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};
    use proptest::prelude::*;

    /// Red grows to the right, green downwards.
    fn picture(width: u32, height: u32) -> DynamicImage {
        let part = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
        DynamicImage::from(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([part(x, width), part(y, height), 80])
        }))
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_kind_of_samples_becomes_rgb() {
        let original = picture(30, 20);
        let rgb = original.to_rgb8().into_raw();
        for (kind, expected) in [
            (original.clone(), rgb.clone()),
            (DynamicImage::from(original.to_rgba8()), rgb.clone()),
            (DynamicImage::from(original.to_rgb16()), rgb.clone()),
            (DynamicImage::from(original.to_luma8()), DynamicImage::from(original.to_luma8()).to_rgb8().into_raw()),
        ] {
            let image = decode(&png(&kind), &ImageLimits::default(), (20, 20)).unwrap();
            assert_eq!((image.width, image.height, image.samples), (30, 20, expected));
        }
    }

    #[test]
    fn a_large_picture_is_scaled_down_but_not_below_the_wanted_size() {
        for (wanted, expected) in [(100, (402, 300)), (150, (402, 300)), (99, (268, 200)), (900, (402, 300))] {
            let factor = 300 / wanted.clamp(1, 300);
            let image = decode(&png(&picture(402, 300)), &ImageLimits::default(), (wanted, wanted)).unwrap();
            assert_eq!((image.width, image.height), (402 / factor, 300 / factor), "{wanted} {expected:?}");
            assert_eq!(image.original, (402, 300));
            let last = image.samples.len() - 3;
            assert!(image.samples[0] < 8 && image.samples[last] > 247 && image.samples[last + 1] > 240);
        }
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_an_error_or_a_picture_and_never_a_panic(
            at in prop::collection::vec((0usize..4000, any::<u8>()), 1..20),
        ) {
            let mut bytes = png(&picture(40, 30));
            for (at, byte) in at {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(image) = decode(&bytes, &ImageLimits::default(), (8, 8)) {
                prop_assert_eq!(image.samples.len(), 3 * image.width as usize * image.height as usize);
            }
        }
    }
}
