//! Draws detections on a picture, for visual inspection.

use crate::unit::image_decode::{self, ImageDecodeError, RgbImage};
use crate::vision::geometry::NormalizedBox;
use crate::vision::image_limits::ImageLimits;
use std::path::Path;

/// Why the annotated picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The image cannot be decoded.
    #[error(transparent)]
    Decode(#[from] ImageDecodeError),
    /// The target file cannot be written.
    #[error("the picture with boxes cannot be written")]
    Write(#[source] image::ImageError),
}

/// Colours of boxes by class, repeated. They stand out on most pictures.
const COLORS: [[u8; 3]; 6] =
    [[255, 64, 64], [64, 255, 64], [64, 128, 255], [255, 255, 64], [255, 64, 255], [64, 255, 255]];

/// Draws `boxes` on a JPEG or PNG, coloured by class index, and writes the picture to `target`, whose extension selects
/// the format.
///
/// # Errors
/// [`AnnotateError`].
pub fn draw(image: &[u8], boxes: &[(u16, NormalizedBox)], target: &Path) -> Result<(), AnnotateError> {
    let picture = image_decode::decode(image, &ImageLimits::default(), (u32::MAX, u32::MAX))?;
    write(&with_boxes(picture, boxes), target)
}

/// [`draw`] twice: the picture with the `left` boxes, and to its right the same picture with the `right` ones.
///
/// # Errors
/// [`AnnotateError`].
pub fn draw_beside(
    image: &[u8],
    left: &[(u16, NormalizedBox)],
    right: &[(u16, NormalizedBox)],
    target: &Path,
) -> Result<(), AnnotateError> {
    let picture = image_decode::decode(image, &ImageLimits::default(), (u32::MAX, u32::MAX))?;
    let row = 3 * picture.width as usize;
    let (left, right) = (with_boxes(picture.clone(), left), with_boxes(picture, right));
    let rows = left.samples.chunks_exact(row).zip(right.samples.chunks_exact(row));
    let samples = rows.flat_map(|(left, right)| left.iter().chain(right)).copied().collect();
    write(&RgbImage { samples, width: 2 * left.width, ..left }, target)
}

fn write(picture: &RgbImage, target: &Path) -> Result<(), AnnotateError> {
    let size = image::ExtendedColorType::Rgb8;
    image::save_buffer(target, &picture.samples, picture.width, picture.height, size).map_err(AnnotateError::Write)
}

fn with_boxes(mut picture: RgbImage, boxes: &[(u16, NormalizedBox)]) -> RgbImage {
    let (width, height) = (picture.width, picture.height);
    let thickness = (width.max(height) / 300).max(2);
    for (class, found) in boxes {
        let color = COLORS[usize::from(*class) % COLORS.len()];
        let (left, right) = (pixel(found.left, width), pixel(found.right(), width));
        let (top, bottom) = (pixel(found.top, height), pixel(found.bottom(), height));
        for y in top..=bottom {
            let is_edge_row = y < top + thickness || y + thickness > bottom;
            for x in left..=right {
                if is_edge_row || x < left + thickness || x + thickness > right {
                    let at = 3 * (y as usize * width as usize + x as usize);
                    picture.samples[at..at + 3].copy_from_slice(&color);
                }
            }
        }
    }
    picture
}

/// Converts a normalised coordinate to a pixel inside the picture.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
fn pixel(ratio: f32, side: u32) -> u32 {
    ((f64::from(ratio) * f64::from(side)) as u32).min(side - 1)
}
