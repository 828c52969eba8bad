//! Scenes for tests: a real yard and real people, and on top what troubles cameras. The same in every run.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a picture and grey levels are small and not negative"
)]

use super::blobs;
use super::cells::Cells;
use crate::vision::geometry::NormalizedBox;
use std::path::Path;
use std::process::Command;

/// What troubles a camera.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nuisance {
    /// Nothing but a little noise.
    Calm,
    /// Sensor noise of 8 grey levels in a dark picture, at a low bit rate.
    Night,
    /// Bright streaks, other ones in every picture.
    Rain,
    /// Soft shadows that move over the yard.
    Clouds,
    /// A soft beam that sweeps through once a minute.
    Headlights,
    /// Day and night pictures in turn, two minutes each.
    Infrared,
    /// A camera on a pole: up to 1.2 pixels in each direction.
    Shaking,
    /// A treetop in the wind.
    Tree,
}

/// A picture of luma without padding.
pub(super) type Luma = Vec<u8>;

/// Numbers that look random, the same in every run: Knuth's linear congruential generator.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Evenly in `0..limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap()
    }

    /// Evenly between the two, in steps of a thousandth.
    pub(super) fn between(&mut self, least: f32, most: f32) -> f32 {
        least + (most - least) * self.below(1001) as f32 / 1000.0
    }

    /// Around 0 with a standard deviation of 1.
    pub(super) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.between(0.0, 1.0)).sum::<f32>() - 6.0
    }
}

/// A yard without people, and people of it.
#[derive(Debug)]
pub(super) struct Yard {
    /// Pixels per row.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    empty: Luma,
    people: Vec<(NormalizedBox, Luma)>,
    noise: Vec<f32>,
}

impl Yard {
    /// Takes the surveillance clip of the set-up apart: what most pictures agree on is the yard.
    pub(super) fn from_clip() -> Self {
        let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vtest.h264");
        assert!(clip.exists(), "{} is missing: run `make setup`", clip.display());
        let folder = tempfile::tempdir().unwrap();
        let planes = folder.path().join("planes");
        let (width, height) = (480, 360);
        let pipeline = format!(
            "filesrc location={} ! h264parse ! avdec_h264 ! videorate drop-only=true ! video/x-raw,framerate=1/3 ! \
             videoscale ! videoconvert ! video/x-raw,format=GRAY8,width={width},height={height} ! filesink location={}",
            clip.display(),
            planes.display()
        );
        let status = Command::new("gst-launch-1.0").arg("-q").args(pipeline.split_whitespace()).status().unwrap();
        assert!(status.success(), "the clip cannot be decoded");
        let planes = std::fs::read(planes).unwrap();
        let pictures: Vec<&[u8]> = planes.chunks_exact(width * height).collect();
        assert!(pictures.len() > 20, "{} pictures", pictures.len());
        let median = |pixel: usize| {
            let mut seen: Vec<u8> = pictures.iter().map(|picture| picture[pixel]).collect();
            *seen.select_nth_unstable(pictures.len() / 2).1
        };
        let empty: Luma = (0..width * height).map(median).collect();
        let mut random = Random(11);
        let noise = (0..1 << 16).map(|_| random.normal()).collect();
        let mut yard = Self { width, height, empty, people: Vec::new(), noise };
        yard.people = pictures.iter().flat_map(|picture| yard.people_of(picture)).collect();
        assert!(yard.people.len() >= 20, "{} people", yard.people.len());
        yard
    }

    /// The people of a picture who differ by 30 grey levels from the yard, each with the picture that shows them.
    fn people_of(&self, picture: &[u8]) -> Vec<(NormalizedBox, Luma)> {
        let (now, empty) = (self.cells(picture), self.cells(&self.empty));
        let strengths: Vec<f32> =
            now.levels().zip(empty.levels()).map(|(now, empty)| (now - empty).abs() / 30.0).collect();
        let found = blobs::find(&blobs::windows(&strengths, now.columns()), now.columns());
        let places = found.iter().filter_map(|blob| blob.place(now.columns(), now.rows()));
        let is_one = |place: &NormalizedBox| place.width < 0.1 && (0.05..0.3).contains(&place.height);
        places.filter(is_one).map(|place| (place, picture.to_vec())).collect()
    }

    /// The cells of a picture of this size.
    pub(super) fn cells(&self, picture: &[u8]) -> Cells {
        Cells::of(picture, self.width, self.width, self.height).unwrap()
    }

    /// A picture of the yard with nobody in it.
    pub(super) fn empty(&self) -> Luma {
        self.empty.clone()
    }

    /// Puts one of the clip's people where he walked, and says where that is.
    pub(super) fn put_person(&self, picture: &mut Luma, which: usize) -> NormalizedBox {
        let (place, source) = &self.people[which % self.people.len()];
        self.for_pixels(place, |pixel, _, _| picture[pixel] = source[pixel]);
        *place
    }

    /// Puts the least person that must be found: an oval of 2 % by 5 % that differs by 25 from what is around.
    pub(super) fn put_least_person(&self, picture: &mut Luma, left: f32, top: f32, contrast: f32) -> NormalizedBox {
        let place = NormalizedBox::from_corners(left, top, left + 0.02, top + 0.05).unwrap();
        let (mut sum, mut count) = (0.0, 0.0_f32);
        self.for_pixels(&place, |pixel, _, _| {
            sum += f32::from(picture[pixel]);
            count += 1.0;
        });
        let mean = sum / count;
        let contrast = if mean + contrast > 250.0 || mean + contrast < 5.0 { -contrast } else { contrast };
        self.for_pixels(&place, |pixel, x, y| {
            if (x - 0.5).powi(2) + (y - 0.5).powi(2) <= 0.25 {
                picture[pixel] = level(mean + contrast);
            }
        });
        place
    }

    /// Calls `each` with every pixel of a place, and where in the place it is.
    fn for_pixels(&self, place: &NormalizedBox, mut each: impl FnMut(usize, f32, f32)) {
        let (width, height) = (self.width as f32, self.height as f32);
        for pixel in 0..self.width * self.height {
            let (x, y) = ((pixel % self.width) as f32 / width, (pixel / self.width) as f32 / height);
            let (x, y) = ((x - place.left) / place.width, (y - place.top) / place.height);
            if (0.0..1.0).contains(&x) && (0.0..1.0).contains(&y) {
                each(pixel, x, y);
            }
        }
    }

    /// Where the tree stands.
    pub(super) fn tree() -> NormalizedBox {
        NormalizedBox::from_corners(0.05, 0.05, 0.25, 0.5).unwrap()
    }

    /// What `picture` looks like `seconds` after the camera was started: light and what else happens in the yard.
    pub(super) fn happen(&self, picture: &mut Luma, nuisance: Nuisance, seconds: f32, random: &mut Random) {
        match nuisance {
            Nuisance::Calm | Nuisance::Rain | Nuisance::Shaking => {}
            Nuisance::Night => self.light(picture, |_, _| (0.5, 0.0)),
            Nuisance::Clouds => {
                let edge = (seconds * 0.04) % 3.0 - 0.5;
                let away = |x: f32, y: f32| 1.0 / (1.0 + ((x + 0.3 * y - edge) / 0.03).exp());
                self.light(picture, |x, y| (1.0 - 0.45 * away(x, y) * (1.0 - away(x + 0.9, y)), 0.0));
            }
            Nuisance::Headlights => {
                let middle = (seconds % 60.0) * 0.15 - 0.5;
                let beam = |x: f32, y: f32| (-((x - middle) / 0.14).powi(2) - ((y - 0.6) / 0.12).powi(2)).exp();
                self.light(picture, |x, y| (0.5 * (1.0 + 1.2 * beam(x, y)), 10.0 * beam(x, y)));
            }
            Nuisance::Infrared if seconds % 240.0 >= 120.0 => {
                // Plants and cloth are bright in infrared, whatever they are by day; the lamp lights the middle.
                let lamp = |x: f32, y: f32| 1.0 - 1.1 * ((x - 0.5).powi(2) + (y - 0.5).powi(2));
                picture.iter_mut().for_each(|pixel| *pixel = level(215.0 - 170.0 * (f32::from(*pixel) / 255.0)));
                self.light(picture, |x, y| (lamp(x, y), 0.0));
            }
            Nuisance::Infrared => {}
            Nuisance::Tree => self.grow_tree(picture, random),
        }
    }

    /// What the camera makes of what is in front of it.
    pub(super) fn record(&self, picture: &mut Luma, nuisance: Nuisance, random: &mut Random) {
        let (noise, step) = match nuisance {
            Nuisance::Calm => (2.0, 10.0),
            Nuisance::Night => (8.0, 40.0),
            Nuisance::Headlights => (5.0, 20.0),
            _ => (3.0, 20.0),
        };
        if nuisance == Nuisance::Rain {
            self.rain(picture, random);
        }
        if nuisance == Nuisance::Shaking {
            let (right, down) = (random.between(-1.2, 1.2), random.between(-1.2, 1.2));
            *picture = self.shifted(picture, (right, down));
        }
        self.add_noise(picture, noise, random);
        self.compress(picture, step);
    }

    fn light(&self, picture: &mut Luma, at: impl Fn(f32, f32) -> (f32, f32)) {
        for (pixel, value) in picture.iter_mut().enumerate() {
            let (x, y) = self.place(pixel);
            let (gain, offset) = at(x, y);
            *value = level(16.0 + (f32::from(*value) - 16.0) * gain + offset);
        }
    }

    fn place(&self, pixel: usize) -> (f32, f32) {
        ((pixel % self.width) as f32 / self.width as f32, (pixel / self.width) as f32 / self.height as f32)
    }

    fn add_noise(&self, picture: &mut Luma, sigma: f32, random: &mut Random) {
        for row in picture.chunks_mut(256) {
            let start = random.below(self.noise.len() - row.len());
            for (pixel, noise) in row.iter_mut().zip(&self.noise[start..]) {
                *pixel = level(f32::from(*pixel) + sigma * noise);
            }
        }
    }

    fn rain(&self, picture: &mut Luma, random: &mut Random) {
        for _ in 0..400 {
            let (mut x, top) = (random.between(0.0, self.width as f32), random.below(self.height));
            let (length, width, bright) = (random.below(25) + 10, 1, random.between(15.0, 45.0));
            for y in top..(top + length).min(self.height) {
                x += 0.12;
                for column in (x as usize..x as usize + width).take_while(|column| *column < self.width) {
                    let pixel = &mut picture[y * self.width + column];
                    *pixel = level(f32::from(*pixel) + bright);
                }
            }
        }
    }

    /// Each pixel from `by` pixels to its right and below.
    fn shifted(&self, picture: &Luma, (right, down): (f32, f32)) -> Luma {
        let at = |x: usize, y: usize| f32::from(picture[y.min(self.height - 1) * self.width + x.min(self.width - 1)]);
        let shifted = |pixel: usize| {
            let (x, y) = (pixel % self.width, pixel / self.width);
            let (x, y) = ((x as f32 + right).max(0.0), (y as f32 + down).max(0.0));
            let (left, top) = (x as usize, y as usize);
            let (across, along) = (x.fract(), y.fract());
            let upper = at(left, top) * (1.0 - across) + at(left + 1, top) * across;
            let lower = at(left, top + 1) * (1.0 - across) + at(left + 1, top + 1) * across;
            level(upper * (1.0 - along) + lower * along)
        };
        (0..picture.len()).map(shifted).collect()
    }

    /// Leaves of several sizes and greys, that a gust displaces by up to 7 pixels, each branch by another.
    fn grow_tree(&self, picture: &mut Luma, random: &mut Random) {
        let gust = random.between(0.3, 1.0) * 7.0;
        let phase = random.between(0.0, 6.3);
        self.for_pixels(&Self::tree(), |pixel, across, along| {
            let (x, y) = ((pixel % self.width) as f32, (pixel / self.width) as f32);
            if (across - 0.5).powi(2) + (along - 0.5).powi(2) < 0.25 {
                let x = x + gust * (phase + y * 0.05).sin();
                let y = y + 0.3 * gust * (phase * 2.0 + x * 0.04).cos();
                let leaves = (x * 0.55).sin() * (y * 0.45).cos() + (x * 0.18 + y * 0.11).sin();
                picture[pixel] = level(85.0 + 28.0 * leaves);
            }
        });
    }

    /// Throws away what a step of quantisation does not keep, in blocks of 8 x 8 as video codecs have them.
    fn compress(&self, picture: &mut Luma, step: f32) {
        let basis: [[f32; 8]; 8] = std::array::from_fn(|wave| {
            let scale = if wave == 0 { (1.0_f32 / 8.0).sqrt() } else { 0.5 };
            std::array::from_fn(|at| scale * ((2 * at + 1) as f32 * wave as f32 * std::f32::consts::PI / 16.0).cos())
        });
        for top in (0..self.height - 7).step_by(8) {
            for left in (0..self.width - 7).step_by(8) {
                let at = |x: usize, y: usize| (top + y) * self.width + left + x;
                let mut block: [[f32; 8]; 8] =
                    std::array::from_fn(|y| std::array::from_fn(|x| f32::from(picture[at(x, y)])));
                block = transposed_product(&basis, &transposed_product(&basis, &block));
                for value in block.iter_mut().flatten() {
                    // Values near zero are dropped, as encoders do.
                    *value = (value.abs() / step + 0.35).floor() * step * value.signum();
                }
                let inverse: [[f32; 8]; 8] = std::array::from_fn(|at| std::array::from_fn(|wave| basis[wave][at]));
                block = transposed_product(&inverse, &transposed_product(&inverse, &block));
                for (y, row) in block.iter().enumerate() {
                    row.iter().enumerate().for_each(|(x, value)| picture[at(x, y)] = level(*value));
                }
            }
        }
    }
}

/// The transposed product of `basis` and `block`.
fn transposed_product(basis: &[[f32; 8]; 8], block: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let mut product = [[0.0; 8]; 8];
    for (wave, row) in basis.iter().enumerate() {
        for column in 0..8 {
            product[column][wave] = (0..8).map(|at| row[at] * block[at][column]).sum();
        }
    }
    product
}

/// The nearest grey level.
pub(super) fn level(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
