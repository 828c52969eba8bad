//! Pictures that a trial makes up: they show nothing, but neither are they plain.

use crate::unit::image_decode::RgbImage;

/// A plain grey, and blocks of colours with noise.
pub(in crate::unit) fn pictures(width: u32, height: u32) -> [RgbImage; 2] {
    let image = |samples: Vec<u8>| RgbImage { width, height, samples, original: (width, height) };
    let mut random = 1_u32;
    let mut blocks = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                // A linear congruential generator: the same picture on each box.
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let block = (x / 32 * 5 + y / 32 * 3 + channel * 7) % 8;
                let [noise, ..] = (random >> 24).to_le_bytes();
                let [base, ..] = (block * 28).to_le_bytes();
                blocks.push(base.saturating_add(noise / 4));
            }
        }
    }
    [image(vec![128; blocks.len()]), image(blocks)]
}
