//! From the samples of a picture to the model's input tensor.
//!
//! Planes are resized first and converted to RGB after, so that conversion and normalisation work
//! at the model's small size. All buffers are kept from one picture to the next.

use crate::model::manifest::{ColorOrder, InputLayout};
use crate::unit::image_decode::RgbImage;
use crate::unit::picture_fit::Placement;
use crate::vision::frame::{Picture, PixelFormat, Plane};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x2, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvPlanarImage, YuvRange, YuvStandardMatrix};

/// A picture that could not be prepared; a mistake of ours or a lie of the sender.
#[derive(Debug, thiserror::Error)]
#[error("a picture could not be prepared: {0}")]
pub struct PreprocessError(String);

fn error(reason: impl std::fmt::Display) -> PreprocessError {
    PreprocessError(reason.to_string())
}

/// The buffers and tables of one model's input.
#[derive(Debug)]
pub struct Preprocessor {
    input: InputLayout,
    resizer: Resizer,
    planes: [Vec<u8>; 3],
    rgb: Vec<u8>,
    tensor: Vec<f32>,
    /// `(sample - mean) / std` for each colour of the tensor and each of the 256 samples.
    normalised: [[f32; 256]; 3],
}

impl Preprocessor {
    /// Takes what the manifest says.
    pub fn new(input: InputLayout) -> Self {
        let table = |color: usize| {
            let mut values = [0.0; 256];
            for (sample, value) in (0_u8..=255).zip(&mut values) {
                *value = (f32::from(sample) - input.mean[color]) / input.std[color];
            }
            values
        };
        let normalised = [table(0), table(1), table(2)];
        let pixels = input.width as usize * input.height as usize;
        Self {
            resizer: Resizer::new(),
            planes: Default::default(),
            rgb: vec![input.pad; 3 * pixels],
            tensor: vec![0.0; 3 * pixels],
            normalised,
            input,
        }
    }

    /// The shape of the tensor, NCHW.
    pub fn shape(&self) -> [usize; 4] {
        [1, 3, self.input.height as usize, self.input.width as usize]
    }

    /// The tensor of the picture that was prepared last.
    pub fn tensor(&self) -> &[f32] {
        &self.tensor
    }

    /// Prepares a raw picture from its slot.
    ///
    /// # Errors
    /// When the slot is shorter than the picture, or a library refuses.
    pub fn prepare_raw(&mut self, picture: Picture, slot: &[u8]) -> Result<Placement, PreprocessError> {
        let placement = self.place(picture.width(), picture.height());
        let samples = slot.get(..picture.bytes()).ok_or_else(|| error("the slot is shorter than its picture"))?;
        let planes = picture.planes();
        // Chroma keeps half the size, rounded up, in the small picture too.
        let (width, height) = (placement.width, placement.height);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let (range, matrix) = colors(picture);
        let stride = 3 * self.input.width;
        match (picture.format(), planes.as_slice()) {
            (PixelFormat::I420, [luma, u, v]) => {
                resize::<U8>(&mut self.resizer, samples, luma, &mut self.planes[0], width, height)?;
                resize::<U8>(&mut self.resizer, samples, u, &mut self.planes[1], half_width, half_height)?;
                resize::<U8>(&mut self.resizer, samples, v, &mut self.planes[2], half_width, half_height)?;
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
                resize::<U8>(&mut self.resizer, samples, luma, &mut self.planes[0], width, height)?;
                resize::<U8x2>(&mut self.resizer, samples, chroma, &mut self.planes[1], half_width, half_height)?;
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
        self.fill_tensor();
        Ok(placement)
    }

    /// Prepares a decoded image.
    ///
    /// # Errors
    /// When a library refuses.
    pub fn prepare_rgb(&mut self, image: &RgbImage) -> Result<Placement, PreprocessError> {
        let placement = self.place(image.width, image.height);
        let width = image.width as usize;
        let plane = Plane { offset: 0, width, height: image.height as usize, stride: 3 * width };
        resize::<U8x3>(
            &mut self.resizer,
            &image.samples,
            &plane,
            &mut self.planes[0],
            placement.width,
            placement.height,
        )?;
        let start = self.target(&placement);
        let row = 3 * placement.width as usize;
        let rows = self.rgb[start..].chunks_mut(3 * self.input.width as usize);
        for (target, source) in rows.zip(self.planes[0].chunks_exact(row)) {
            target[..row].copy_from_slice(source);
        }
        self.fill_tensor();
        Ok(placement)
    }

    /// Where the picture goes; what an earlier picture of another size left around it is painted over.
    fn place(&mut self, width: u32, height: u32) -> Placement {
        let placement = Placement::new(self.input.fit, width, height, self.input.width, self.input.height);
        if placement.width != self.input.width || placement.height != self.input.height {
            self.rgb.fill(self.input.pad);
        }
        placement
    }

    /// The first byte of the picture in the RGB buffer.
    fn target(&self, placement: &Placement) -> usize {
        3 * (placement.top as usize * self.input.width as usize + placement.left as usize)
    }

    /// Interleaved RGB to normalised planes.
    fn fill_tensor(&mut self) {
        let order = match self.input.color {
            ColorOrder::Rgb => [0, 1, 2],
            ColorOrder::Bgr => [2, 1, 0],
        };
        let pixels = self.rgb.len() / 3;
        let (first, rest) = self.tensor.split_at_mut(pixels);
        let (second, third) = rest.split_at_mut(pixels);
        let [table0, table1, table2] = &self.normalised;
        let planes = first.iter_mut().zip(second).zip(third);
        for (pixel, ((first, second), third)) in self.rgb.as_chunks::<3>().0.iter().zip(planes) {
            *first = table0[usize::from(pixel[order[0]])];
            *second = table1[usize::from(pixel[order[1]])];
            *third = table2[usize::from(pixel[order[2]])];
        }
    }
}

/// Resizes one plane. Bilinear with a support that grows with the scale, so that every sample counts:
/// plain interpolation would skip most samples of a large picture and lose small objects.
fn resize<P: PixelTrait + InnerPixel>(
    resizer: &mut Resizer,
    samples: &[u8],
    plane: &Plane,
    target: &mut Vec<u8>,
    width: u32,
    height: u32,
) -> Result<(), PreprocessError> {
    let bytes = samples.get(plane.offset..plane.offset + plane.stride * plane.height);
    let bytes = bytes.ok_or_else(|| error("a plane lies outside its picture"))?;
    let side = |value: usize| u32::try_from(value).map_err(error);
    let source = TypedImageRef::<P>::from_buffer(side(plane.width)?, side(plane.height)?, bytes).map_err(error)?;
    target.resize(width as usize * height as usize * P::size(), 0);
    let mut image = TypedImage::<P>::from_buffer(width, height, target).map_err(error)?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
    resizer.resize_typed(&source, &mut image, &options).map_err(error)
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
    use crate::model::manifest::Fit;
    use crate::vision::frame::Colorimetry;

    fn input(fit: Fit, color: ColorOrder) -> InputLayout {
        let (mean, std) = ([0.0; 3], [1.0; 3]);
        InputLayout { tensor: "images".into(), width: 30, height: 20, color, fit, pad: 114, mean, std }
    }

    /// A grey picture with neutral chroma, limited range.
    fn grey(format: PixelFormat, width: u32, height: u32, luma: u8) -> (Picture, Vec<u8>) {
        let picture = Picture::new(format, width, height, Colorimetry::default()).unwrap();
        let mut samples = vec![128; picture.bytes()];
        samples[..(width * height) as usize].fill(luma);
        (picture, samples)
    }

    #[test]
    fn a_grey_picture_becomes_a_grey_tensor_in_both_formats() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let mut preprocessor = Preprocessor::new(input(Fit::Stretch, ColorOrder::Rgb));
            // 126 of 16..=235 is (126 - 16) * 255 / 219 = 128 of 0..=255.
            let (picture, samples) = grey(format, 101, 67, 126);
            preprocessor.prepare_raw(picture, &samples).unwrap();
            assert!(preprocessor.tensor().iter().all(|value| (value - 128.0).abs() <= 1.5), "{format:?}");
        }
    }

    #[test]
    fn a_letterbox_is_padded_anew_when_the_picture_changes_its_size() {
        let mut preprocessor = Preprocessor::new(input(Fit::LetterboxTopLeft, ColorOrder::Rgb));
        let (full, samples) = grey(PixelFormat::I420, 60, 40, 235);
        preprocessor.prepare_raw(full, &samples).unwrap();
        assert!(preprocessor.tensor()[599] > 250.0);
        let (narrow, samples) = grey(PixelFormat::I420, 20, 40, 235);
        preprocessor.prepare_raw(narrow, &samples).unwrap();
        assert!(preprocessor.tensor()[0] > 250.0);
        assert_eq!(preprocessor.tensor()[599], 114.0);
    }

    #[test]
    fn colours_are_in_the_order_of_the_manifest_and_normalised() {
        let mut bgr = input(Fit::Stretch, ColorOrder::Bgr);
        bgr.mean = [10.0, 0.0, 0.0];
        bgr.std = [2.0, 1.0, 1.0];
        let mut preprocessor = Preprocessor::new(bgr);
        let samples = [200, 100, 50].repeat(4);
        preprocessor.prepare_rgb(&RgbImage { width: 2, height: 2, samples, original: (2, 2) }).unwrap();
        let tensor = preprocessor.tensor();
        assert_eq!((tensor[0], tensor[600], tensor[1200]), (20.0, 100.0, 200.0));
    }

    #[test]
    fn a_slot_that_is_too_short_is_an_error() {
        let mut preprocessor = Preprocessor::new(input(Fit::Stretch, ColorOrder::Rgb));
        let (picture, samples) = grey(PixelFormat::I420, 60, 40, 0);
        assert!(preprocessor.prepare_raw(picture, &samples[1..]).is_err());
    }
}
