//! Resizes a picture to a model's input and converts it to RGB.
//!
//! Planes are resized before they are converted to RGB, so that the conversion works at the model's small size. All
//! buffers are reused.

use crate::model::input_layout::{InputLayout, Resampling};
use crate::unit::image_decode::RgbImage;
use crate::unit::picture_fit::Placement;
use crate::vision::frame::{Picture, PixelFormat, Plane};
use crate::vision::geometry::NormalizedBox;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x2, U8x3};
use fast_image_resize::{Filter, FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPlanarImage, YuvRange, YuvStandardMatrix};

/// A picture could not be prepared: an internal error, or a wrong size from the sender.
#[derive(Debug, thiserror::Error)]
#[error("a picture could not be prepared: {0}")]
pub struct PreprocessError(String);

fn error(reason: impl std::fmt::Display) -> PreprocessError {
    PreprocessError(reason.to_string())
}

/// Resizes and converts pictures for one model.
#[derive(Debug)]
pub struct Preprocessor {
    input: InputLayout,
    resizer: Resizer,
    planes: [Vec<u8>; 3],
    /// The prepared picture, interleaved, of the input's size.
    rgb: Vec<u8>,
}

impl Preprocessor {
    /// Allocates the buffers for an input.
    pub fn new(input: InputLayout) -> Self {
        let samples = 3 * input.width as usize * input.height as usize;
        Self { resizer: Resizer::new(), planes: Default::default(), rgb: vec![input.pad; samples], input }
    }

    /// The last prepared picture: interleaved RGB of the input's size.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Prepares `view`, a normalised part of a raw picture in a slot.
    ///
    /// # Errors
    /// When the slot is shorter than the picture, or resizing or conversion fails.
    pub fn prepare_raw(
        &mut self,
        picture: Picture,
        slot: &[u8],
        view: NormalizedBox,
    ) -> Result<Placement, PreprocessError> {
        let placement = self.place((picture.width(), picture.height()), view);
        let samples = slot.get(..picture.bytes()).ok_or_else(|| error("the slot is shorter than its picture"))?;
        let planes = picture.planes();
        // In the resized picture, chroma also has half the size, rounded up.
        let (width, height) = (placement.width, placement.height);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let scaling = Scaling { source: placement.source, resampling: self.input.resize };
        let (size, half) = ((width, height), (half_width, half_height));
        let (range, matrix) = colors(picture);
        let stride = 3 * self.input.width;
        match (picture.format(), planes.as_slice()) {
            (PixelFormat::I420, [luma, u, v]) => {
                scaling.resize::<U8>(&mut self.resizer, samples, luma, &mut self.planes[0], size)?;
                scaling.resize::<U8>(&mut self.resizer, samples, u, &mut self.planes[1], half)?;
                scaling.resize::<U8>(&mut self.resizer, samples, v, &mut self.planes[2], half)?;
                let image = YuvPlanarImage {
                    y_plane: &self.planes[0],
                    y_stride: width,
                    u_plane: &self.planes[1],
                    u_stride: half_width,
                    v_plane: &self.planes[2],
                    v_stride: half_width,
                    width,
                    height,
                };
                let rgb = self.target(&placement);
                yuv::yuv420_to_rgb(&image, &mut self.rgb[rgb..], stride, range, matrix).map_err(error)?;
            }
            (PixelFormat::Nv12, [luma, chroma]) => {
                scaling.resize::<U8>(&mut self.resizer, samples, luma, &mut self.planes[0], size)?;
                scaling.resize::<U8x2>(&mut self.resizer, samples, chroma, &mut self.planes[1], half)?;
                let image = YuvBiPlanarImage {
                    y_plane: &self.planes[0],
                    y_stride: width,
                    uv_plane: &self.planes[1],
                    uv_stride: 2 * half_width,
                    width,
                    height,
                };
                let rgb = self.target(&placement);
                let mode = YuvConversionMode::Balanced;
                yuv::yuv_nv12_to_rgb(&image, &mut self.rgb[rgb..], stride, range, matrix, mode).map_err(error)?;
            }
            _ => return Err(error("the picture has another number of planes than its format")),
        }
        Ok(placement)
    }

    /// Prepares `view`, a normalised part of a decoded image.
    ///
    /// # Errors
    /// When resizing fails.
    pub fn prepare_rgb(&mut self, image: &RgbImage, view: NormalizedBox) -> Result<Placement, PreprocessError> {
        let placement = self.place((image.width, image.height), view);
        let width = image.width as usize;
        let plane = Plane { offset: 0, width, height: image.height as usize, stride: 3 * width };
        let scaling = Scaling { source: placement.source, resampling: self.input.resize };
        let size = (placement.width, placement.height);
        scaling.resize::<U8x3>(&mut self.resizer, &image.samples, &plane, &mut self.planes[0], size)?;
        let start = self.target(&placement);
        let row = 3 * placement.width as usize;
        let rows = self.rgb[start..].chunks_mut(3 * self.input.width as usize);
        for (target, source) in rows.zip(self.planes[0].chunks_exact(row)) {
            target[..row].copy_from_slice(source);
        }
        Ok(placement)
    }

    /// Computes the placement of the view. Clears the padding, where an earlier picture of another size may remain.
    fn place(&mut self, size: (u32, u32), view: NormalizedBox) -> Placement {
        let placement = Placement::new(&self.input, size, view);
        if placement.has_padding() {
            self.rgb.fill(self.input.pad);
        }
        placement
    }

    /// Offset of the picture's first byte in the RGB buffer.
    fn target(&self, placement: &Placement) -> usize {
        3 * (placement.top as usize * self.input.width as usize + placement.left as usize)
    }
}

/// Which part of a plane is resized, and how.
#[derive(Clone, Copy, Debug)]
struct Scaling {
    /// Normalised to 0..1.
    source: NormalizedBox,
    resampling: Resampling,
}

impl Scaling {
    fn resize<P: PixelTrait + InnerPixel>(
        self,
        resizer: &mut Resizer,
        samples: &[u8],
        plane: &Plane,
        target: &mut Vec<u8>,
        (width, height): (u32, u32),
    ) -> Result<(), PreprocessError> {
        let bytes = samples.get(plane.offset..plane.offset + plane.stride * plane.height);
        let bytes = bytes.ok_or_else(|| error("a plane lies outside its picture"))?;
        let side = |value: usize| u32::try_from(value).map_err(error);
        let source = TypedImageRef::<P>::from_buffer(side(plane.width)?, side(plane.height)?, bytes).map_err(error)?;
        target.resize(width as usize * height as usize * P::size(), 0);
        let mut image = TypedImage::<P>::from_buffer(width, height, target).map_err(error)?;
        let algorithm = match self.resampling {
            Resampling::Antialias => ResizeAlg::Convolution(FilterType::Bilinear),
            Resampling::Bilinear => ResizeAlg::Interpolation(FilterType::Bilinear),
            Resampling::Bicubic => ResizeAlg::Interpolation(bicubic()),
        };
        let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false);
        let options = match self.source == NormalizedBox::WHOLE {
            true => options,
            false => {
                let (left, width) = part(self.source.left, self.source.width, plane.width);
                let (top, height) = part(self.source.top, self.source.height, plane.height);
                options.crop(left, top, width, height)
            }
        };
        resizer.resize_typed(&source, &mut image, &options).map_err(error)
    }
}

/// Keys' cubic convolution with a = -0.75, as in OpenCV and PyTorch. The library's own has a = -0.5, which cost PicoDet
/// half a point of average precision.
fn bicubic() -> FilterType {
    const A: f64 = -0.75;
    let weight = |x: f64| match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((x - 5.0) * x + 8.0) * A * x - 4.0 * A,
        _ => 0.0,
    };
    Filter::new("bicubic", weight, 2.0).map_or(FilterType::CatmullRom, FilterType::Custom)
}

/// Converts a normalised range to start and length in samples: at least one, and within the side despite rounding.
fn part(start: f32, length: f32, side: usize) -> (f64, f64) {
    let side = side as f64;
    let start = (f64::from(start) * side).clamp(0.0, side - 1.0);
    (start, (f64::from(length) * side).clamp(1.0, side - start))
}

fn colors(picture: Picture) -> (YuvRange, YuvStandardMatrix) {
    let colorimetry = picture.colorimetry();
    let range = if colorimetry.full_range { YuvRange::Full } else { YuvRange::Limited };
    let matrix = if colorimetry.bt709 { YuvStandardMatrix::Bt709 } else { YuvStandardMatrix::Bt601 };
    (range, matrix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::input_layout::Fit;
    use crate::vision::frame::Colorimetry;

    fn preprocessor(fit: Fit) -> Preprocessor {
        Preprocessor::new(InputLayout { fit, pad: 114, ..InputLayout::plain("images", 30, 20) })
    }

    /// A grey picture with neutral chroma, limited range.
    fn grey(format: PixelFormat, width: u32, height: u32, luma: u8) -> (Picture, Vec<u8>) {
        let picture = Picture::new(format, width, height, Colorimetry::default()).unwrap();
        let mut samples = vec![128; picture.bytes()];
        samples[..(width * height) as usize].fill(luma);
        (picture, samples)
    }

    #[test]
    fn a_grey_picture_stays_grey_in_both_formats() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let mut preprocessor = preprocessor(Fit::Stretch);
            // 126 of 16..=235 is (126 - 16) * 255 / 219 = 128 of 0..=255.
            let (picture, samples) = grey(format, 101, 67, 126);
            preprocessor.prepare_raw(picture, &samples, NormalizedBox::WHOLE).unwrap();
            assert!(preprocessor.rgb().iter().all(|sample| (127..=129).contains(sample)), "{format:?}");
        }
    }

    #[test]
    fn a_letterbox_is_padded_again_when_the_picture_changes_its_size() {
        let mut preprocessor = preprocessor(Fit::LetterboxTopLeft);
        let (full, samples) = grey(PixelFormat::I420, 60, 40, 235);
        preprocessor.prepare_raw(full, &samples, NormalizedBox::WHOLE).unwrap();
        assert!(preprocessor.rgb()[1799] > 250);
        let (narrow, samples) = grey(PixelFormat::I420, 20, 40, 235);
        preprocessor.prepare_raw(narrow, &samples, NormalizedBox::WHOLE).unwrap();
        assert!(preprocessor.rgb()[0] > 250);
        assert_eq!(preprocessor.rgb()[1799], 114);
    }

    #[test]
    fn a_view_shows_only_its_part_of_the_picture() {
        // The left half is black, the right half white.
        let picture = Picture::new(PixelFormat::I420, 64, 48, Colorimetry::default()).unwrap();
        let mut samples = vec![128; picture.bytes()];
        for row in samples[..64 * 48].chunks_exact_mut(64) {
            row[..32].fill(16);
            row[32..].fill(235);
        }
        for resampling in [Resampling::Antialias, Resampling::Bilinear, Resampling::Bicubic] {
            let input = InputLayout { resize: resampling, ..InputLayout::plain("images", 30, 20) };
            let mut preprocessor = Preprocessor::new(input);
            for (left, expected) in [(0.0, 0..=2), (0.5, 253..=255)] {
                let view = NormalizedBox { left, top: 0.1, width: 0.5, height: 0.5 };
                preprocessor.prepare_raw(picture, &samples, view).unwrap();
                // Pixels at the border may be mixed with their neighbours outside the view.
                let inner = preprocessor.rgb().chunks_exact(90).flat_map(|row| &row[3..87]);
                assert!(inner.into_iter().all(|sample| expected.contains(sample)), "{resampling:?} {left}");
            }
        }
    }

    #[test]
    fn a_slot_that_is_too_short_is_an_error() {
        let (picture, samples) = grey(PixelFormat::I420, 60, 40, 0);
        assert!(preprocessor(Fit::Stretch).prepare_raw(picture, &samples[1..], NormalizedBox::WHOLE).is_err());
    }
}
