//! A picture as a JPEG file holds it: three planes, BT.601, all of 0..=255, whatever the camera sends.
//!
//! JFIF knows nothing else, and a viewer shows samples of a video as they are: pale where they are of 16..=235, and with
//! wrong greens and reds where they are of BT.709. Never made RGB of: the encoder would only turn it back.

use crate::vision::frame::{Colorimetry, PictureLayout, PixelFormat, Plane};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x2};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

/// The samples lie outside the picture, or cannot be scaled.
#[derive(Debug, thiserror::Error)]
#[error("the frame cannot be scaled: {0}")]
pub(super) struct ScaleError(String);

/// Three planes: Y, then Cb and Cr at half the width and height, rounded up.
#[derive(Clone, Debug)]
pub(super) struct JfifPlanes {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) samples: [Vec<u8>; 3],
}

impl JfifPlanes {
    /// From the samples of a picture, scaled down to `max_width` where it is wider.
    pub(super) fn new(samples: &[u8], picture: PictureLayout, max_width: u32) -> Result<Self, ScaleError> {
        let (width, height) = fit_width(picture.width, picture.height, max_width);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let planes = picture.planes();
        let samples = match (picture.format, planes.as_slice()) {
            (PixelFormat::I420, [luma, cb, cr]) => [
                scale::<U8>(samples, luma, width, height)?,
                scale::<U8>(samples, cb, half_width, half_height)?,
                scale::<U8>(samples, cr, half_width, half_height)?,
            ],
            (PixelFormat::Nv12, [luma, chroma]) => {
                let luma = scale::<U8>(samples, luma, width, height)?;
                let chroma = scale::<U8x2>(samples, chroma, half_width, half_height)?;
                let (cb, cr) = chroma.as_chunks::<2>().0.iter().map(|[cb, cr]| (*cb, *cr)).unzip();
                [luma, cb, cr]
            }
            _ => return Err(ScaleError("it has another number of planes than its format".into())),
        };
        let mut planes = Self { width: width as usize, height: height as usize, samples };
        planes.convert(picture.colorimetry);
        Ok(planes)
    }

    /// Samples a row of the chroma planes.
    pub(super) fn chroma_width(&self) -> usize {
        self.width.div_ceil(2)
    }

    /// From the camera's range and matrix to those of JFIF. Between two such spaces everything is linear: chroma turns
    /// and stretches a little, and moves the four luma samples that share it.
    fn convert(&mut self, from: Colorimetry) {
        if from.full_range && !from.bt709 {
            return;
        }
        let (luma_gain, chroma_gain, black) =
            if from.full_range { (1.0, 1.0, 0.0) } else { (255.0 / 219.0, 255.0 / 224.0, 16.0) };
        let matrix = if from.bt709 { Matrix::to_bt601(0.2126, 0.0722) } else { Matrix::to_bt601(0.299, 0.114) };
        let [luma_of, blue_of, red_of] = matrix.fixed(chroma_gain);
        let lumas: [i32; 256] = std::array::from_fn(|value| rounded((value as f32 - black) * luma_gain));
        let chroma_width = self.chroma_width();
        let [luma, cbs, crs] = &mut self.samples;
        let chroma_rows = cbs.chunks_exact_mut(chroma_width).zip(crs.chunks_exact_mut(chroma_width));
        let mut shifts = vec![0; chroma_width];
        for (rows, (cbs, crs)) in luma.chunks_mut(2 * self.width).zip(chroma_rows) {
            for ((cb, cr), shift) in cbs.iter_mut().zip(crs).zip(&mut shifts) {
                let (blue, red) = (i32::from(*cb) - 128, i32::from(*cr) - 128);
                *shift = whole(luma_of[0] * blue + luma_of[1] * red);
                *cb = sample(128 + whole(blue_of[0] * blue + blue_of[1] * red));
                *cr = sample(128 + whole(red_of[0] * blue + red_of[1] * red));
            }
            // The last row and column of an odd picture have no partner.
            for row in rows.chunks_exact_mut(self.width) {
                for (pair, shift) in row.chunks_mut(2).zip(&shifts) {
                    for value in pair {
                        *value = sample(lumas[usize::from(*value)] + shift);
                    }
                }
            }
        }
    }
}

/// What a colour difference does to luma, Cb and Cr; each by Cb and by Cr.
struct Matrix {
    luma: [f32; 2],
    blue: [f32; 2],
    red: [f32; 2],
}

impl Matrix {
    /// From a space in which red and blue make so much of the luma: through red, green and blue to BT.601.
    fn to_bt601(red: f32, blue: f32) -> Self {
        let (to_red, to_blue) = (0.299, 0.114);
        let to_green = 1.0 - to_red - to_blue;
        let green = 1.0 - red - blue;
        let (red_gain, blue_gain) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
        let luma_of_blue = to_blue * blue_gain - to_green * blue * blue_gain / green;
        let luma_of_red = to_red * red_gain - to_green * red * red_gain / green;
        let (to_red_gain, to_blue_gain) = (2.0 * (1.0 - to_red), 2.0 * (1.0 - to_blue));
        Self {
            luma: [luma_of_blue, luma_of_red],
            blue: [(blue_gain - luma_of_blue) / to_blue_gain, -luma_of_red / to_blue_gain],
            red: [-luma_of_blue / to_red_gain, (red_gain - luma_of_red) / to_red_gain],
        }
    }

    /// For whole numbers, of which a processor without SSE 4.1 rounds more in a moment.
    fn fixed(&self, gain: f32) -> [[i32; 2]; 3] {
        [self.luma, self.blue, self.red]
            .map(|row| row.map(|factor| rounded(factor * gain * (1 << FRACTION_BITS) as f32)))
    }
}

/// Bits behind the point.
const FRACTION_BITS: u32 = 14;

/// Without the bits behind the point.
fn whole(fixed: i32) -> i32 {
    (fixed + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS
}

#[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
fn rounded(value: f32) -> i32 {
    value.round() as i32
}

#[expect(clippy::cast_sign_loss, reason = "clamped")]
fn sample(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

/// A size of at most `max_width` with the same aspect: its own, or an even one.
fn fit_width(width: u32, height: u32, max_width: u32) -> (u32, u32) {
    if width <= max_width {
        return (width, height);
    }
    let even = |side: u64| u32::try_from(side / 2 * 2).unwrap_or(u32::MAX).max(2);
    let wide = even(u64::from(max_width));
    (wide, even((u64::from(height) * u64::from(wide) + u64::from(width) / 2) / u64::from(width)))
}

/// One plane in its new size. Bilinear with a support that grows with the scale, so that thin lines stay.
fn scale<P: PixelTrait + InnerPixel>(
    samples: &[u8],
    plane: &Plane,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, ScaleError> {
    let failed = |error: &dyn std::fmt::Display| ScaleError(error.to_string());
    let bytes = samples.get(plane.offset..plane.offset + plane.stride * plane.height);
    let bytes = bytes.ok_or_else(|| failed(&"a plane lies outside its picture"))?;
    if (plane.width, plane.height) == (width as usize, height as usize) {
        return Ok(bytes.to_vec());
    }
    let side = |value: usize| u32::try_from(value).map_err(|error| failed(&error));
    let source = TypedImageRef::<P>::from_buffer(side(plane.width)?, side(plane.height)?, bytes);
    let mut target = vec![0; width as usize * height as usize * P::size()];
    let mut image = TypedImage::<P>::from_buffer(width, height, &mut target).map_err(|error| failed(&error))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
    let source = source.map_err(|error| failed(&error))?;
    Resizer::new().resize_typed(&source, &mut image, &options).map_err(|error| failed(&error))?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one colour, converted: the first sample of each plane.
    fn convert(format: PixelFormat, colorimetry: Colorimetry, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let picture = PictureLayout { format, width: 34, height: 18, colorimetry };
        let mut samples = vec![y; 34 * 18];
        match format {
            PixelFormat::I420 => [cb, cr].iter().for_each(|value| samples.extend([*value; 17 * 9])),
            PixelFormat::Nv12 => samples.extend([cb, cr].repeat(17 * 9)),
        }
        let planes = JfifPlanes::new(&samples, picture, 16).unwrap();
        assert_eq!((planes.width, planes.height, planes.chroma_width()), (16, 8, 8));
        planes.samples.map(|plane| {
            assert!(plane.iter().all(|value| *value == plane[0]), "one colour stays one colour");
            plane[0]
        })
    }

    #[test]
    fn the_colours_of_a_camera_become_those_of_a_jpeg() {
        let of = |bt709, full_range| Colorimetry { bt709, full_range };
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            for (colorimetry, camera, jpeg) in [
                (of(false, true), [76, 85, 255], [76, 85, 255]),
                (of(false, false), [16, 128, 128], [0, 128, 128]),
                (of(true, false), [235, 128, 128], [255, 128, 128]),
                // Red, green and blue of BT.709 as broadcast, and in a JPEG.
                (of(true, false), [63, 102, 240], [76, 85, 255]),
                (of(true, false), [173, 42, 26], [150, 44, 21]),
                (of(true, false), [32, 240, 118], [29, 255, 107]),
            ] {
                let found = convert(format, colorimetry, camera);
                let is_near = found.iter().zip(jpeg).all(|(found, wanted)| found.abs_diff(wanted) <= 2);
                assert!(is_near, "{camera:?} became {found:?} instead of {jpeg:?}");
            }
        }
    }

    #[test]
    fn a_picture_is_never_scaled_up_and_keeps_its_aspect() {
        assert_eq!(fit_width(640, 480, 1280), (640, 480));
        assert_eq!(fit_width(1920, 1080, 1280), (1280, 720));
        assert_eq!(fit_width(2228, 1254, 1281), (1280, 720));
        assert_eq!(fit_width(8192, 1, 64), (64, 2));
        let colorimetry = Colorimetry::default();
        let odd = PictureLayout { format: PixelFormat::I420, width: 7, height: 5, colorimetry };
        let planes = JfifPlanes::new(&vec![100; odd.bytes()], odd, 1280).unwrap();
        assert_eq!(planes.samples.map(|plane| plane.len()), [35, 12, 12]);
        assert!(JfifPlanes::new(&[0; 10], odd, 1280).is_err(), "samples are missing");
    }
}
