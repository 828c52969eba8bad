//! Pictures that are made up: each box makes the same ones. They show nothing, but detectors see something in them at low
//! confidences, and kernels that are wrong see something else.

use crate::vision::frame::{Colorimetry, Picture, PictureError, PixelFormat};

/// How many are made.
pub(super) const COUNT: u32 = 8;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

/// Format and size of all of them.
///
/// # Errors
/// None for these sizes.
pub(super) fn format() -> Result<Picture, PictureError> {
    Picture::new(PixelFormat::I420, WIDTH, HEIGHT, Colorimetry::default())
}

/// The planes of a picture: a graded background with upright bodies under round heads, rectangles and noise.
pub(super) fn planes(number: u32) -> Vec<u8> {
    let (luma, chroma) = ((WIDTH * HEIGHT) as usize, (WIDTH / 2 * HEIGHT / 2) as usize);
    let mut random = Random(number.wrapping_mul(0x9e37_79b9) | 1);
    let mut planes = vec![0; luma + 2 * chroma];
    let noise = 4 + 8 * number;
    for (index, sample) in (0_u32..).zip(&mut planes[..luma]) {
        let (x, y) = (index % WIDTH, index / WIDTH);
        *sample = clipped(70 + x * (number + 1) / 40 + y / 6 + random.below(noise));
    }
    for (index, sample) in (0_u32..).zip(&mut planes[luma..]) {
        *sample = clipped(116 + index / (WIDTH / 2) % (HEIGHT / 2) / 10 + random.below(4));
    }
    for _ in 0..3 + number % 4 {
        let (left, top) = (random.below(WIDTH - 120), 60 + random.below(HEIGHT - 320));
        let (width, height, shade) = (40 + random.below(60), 120 + random.below(120), 20 + random.below(200));
        fill(&mut planes[..luma], (left, top), (width, height), |_, _| Some(clipped(shade)));
        let (radius, centre) = (width / 3, (left + width / 2, top.saturating_sub(width / 3)));
        let corner = (centre.0 - radius, centre.1.saturating_sub(radius));
        fill(&mut planes[..luma], corner, (2 * radius, 2 * radius), |x, y| {
            let is_inside = x.abs_diff(centre.0).pow(2) + y.abs_diff(centre.1).pow(2) < radius * radius;
            is_inside.then(|| clipped(shade + 60))
        });
        let colour = clipped(90 + random.below(80));
        let plane = luma + chroma * (random.below(2) as usize);
        let (from, size) = ((left / 2, top / 2), (width / 2, height / 2));
        fill_rows(&mut planes[plane..plane + chroma], WIDTH / 2, from, size, |_, _| Some(colour));
    }
    planes
}

fn fill(luma: &mut [u8], from: (u32, u32), size: (u32, u32), shade: impl Fn(u32, u32) -> Option<u8>) {
    fill_rows(luma, WIDTH, from, size, shade);
}

/// Sets the samples of a rectangle for which there is a shade. What lies outside of the plane is left out.
fn fill_rows(
    plane: &mut [u8],
    stride: u32,
    from: (u32, u32),
    size: (u32, u32),
    shade: impl Fn(u32, u32) -> Option<u8>,
) {
    for y in from.1..from.1 + size.1 {
        for x in from.0..(from.0 + size.0).min(stride) {
            if let (Some(sample), Some(shade)) = (plane.get_mut((y * stride + x) as usize), shade(x, y)) {
                *sample = shade;
            }
        }
    }
}

fn clipped(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// A linear congruential generator.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_picture_is_another_one_and_the_same_each_time() {
        let all: Vec<Vec<u8>> = (0..COUNT).map(planes).collect();
        assert!(all.iter().all(|planes| planes.len() == format().unwrap().layout().bytes()));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(planes(5), all[5]);
        let shades: BTreeSet<u8> = all[0].iter().copied().collect();
        assert!(shades.len() > 50, "it is not plain");
    }
}
