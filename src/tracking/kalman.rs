//! Predicts an object's box: a Kalman filter with constant velocity.
//!
//! As in SORT (Bewley et al. 2016) and ByteTrack (Zhang et al. 2022), an object is assumed to keep its velocity, and the
//! error of a measured box is proportional to its size. Two things differ, because our frames come at 1 to 30 a second and
//! some are shed:
//! * Time is real. Between frames `dt` seconds apart the covariance grows as for white noise of acceleration of
//!   spectral density `q` (Bar-Shalom, Li, Kirubarajan 2001, section 6.2.2):
//!   `Q = q · [[dt³/3, dt²/2], [dt²/2, dt]]`. So one prediction over two intervals equals two predictions over one each.
//! * Centre and size are four filters of two states each (position and velocity). The noise is independent between
//!   coordinates, so the 8 × 8 filter splits into these four exactly, and no matrix has to be inverted.
//!
//! Horizontal noise is proportional to the box's width, vertical noise to its height. A person and a car both move two or
//! three of their widths a second, and so the picture's aspect ratio, which is unknown here, does not matter.

use crate::vision::geometry::NormalizedBox;

/// The smallest side of a box that noise is derived from, in ratios: about a pixel of a 1080p picture.
const MIN_SIDE: f64 = 5e-4;

/// The longest time of a prediction. An object that is unseen for longer is lost.
const MAX_SECONDS: f64 = 60.0;

/// How a coordinate moves and how well it is measured, in sides of the box.
#[derive(Clone, Copy, Debug)]
struct Noise {
    /// Standard deviation of a measurement.
    measurement: f64,
    /// Standard deviation of the velocity a second, after a single sighting.
    velocity: f64,
    /// Square root of the spectral density of acceleration: the growth of the velocity's deviation in a second.
    acceleration: f64,
}

const CENTRE: Noise = Noise { measurement: 0.06, velocity: 2.0, acceleration: 0.8 };

/// Sizes change slowly, but the box of an object that enters the picture grows as fast as the object moves.
const SIZE: Noise = Noise { measurement: 0.1, velocity: 0.5, acceleration: 0.3 };

/// One coordinate: position and velocity with their covariance.
#[derive(Clone, Copy, Debug)]
struct Axis {
    position: f64,
    velocity: f64,
    /// Variance of the position.
    p00: f64,
    /// Covariance of position and velocity.
    p01: f64,
    /// Variance of the velocity.
    p11: f64,
}

impl Axis {
    fn new(position: f64, side: f64, noise: Noise) -> Self {
        let (measured, moving) = (noise.measurement * side, noise.velocity * side);
        Self { position, velocity: 0.0, p00: measured * measured, p01: 0.0, p11: moving * moving }
    }

    fn predict(&mut self, dt: f64, side: f64, noise: Noise) {
        let q = (noise.acceleration * side).powi(2);
        self.position += self.velocity * dt;
        self.p00 += dt * (2.0 * self.p01 + dt * self.p11) + q * dt * dt * dt / 3.0;
        self.p01 += dt * self.p11 + q * dt * dt / 2.0;
        self.p11 += q * dt;
    }

    fn update(&mut self, measured: f64, side: f64, noise: Noise) {
        let variance = self.p00 + (noise.measurement * side).powi(2);
        let (gain, gain_of_velocity) = (self.p00 / variance, self.p01 / variance);
        let error = measured - self.position;
        self.position += gain * error;
        self.velocity += gain_of_velocity * error;
        self.p11 = (self.p11 - gain_of_velocity * self.p01).max(0.0);
        self.p01 *= 1.0 - gain;
        self.p00 *= 1.0 - gain;
    }
}

/// The filter of one box. All its values stay finite, whatever the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoxFilter {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
}

impl BoxFilter {
    /// The filter after one sighting. `seen` must lie in the picture and have an area, as from
    /// [`NormalizedBox::from_corners`].
    pub(super) fn new(seen: &NormalizedBox) -> Self {
        let [x, y, width, height] = centre_and_size(seen);
        let (across, down) = (width.max(MIN_SIDE), height.max(MIN_SIDE));
        Self {
            x: Axis::new(x, across, CENTRE),
            y: Axis::new(y, down, CENTRE),
            width: Axis::new(width, across, SIZE),
            height: Axis::new(height, down, SIZE),
        }
    }

    /// Predicts `seconds` ahead. NaN and negative values count as 0.
    pub(super) fn predict(&mut self, seconds: f64) {
        let dt = if seconds > 0.0 { seconds.min(MAX_SECONDS) } else { 0.0 };
        let (across, down) = self.sides();
        self.x.predict(dt, across, CENTRE);
        self.y.predict(dt, down, CENTRE);
        self.width.predict(dt, across, SIZE);
        self.height.predict(dt, down, SIZE);
        self.keep_near_the_picture();
    }

    /// Corrects the prediction by a measured box, as for [`BoxFilter::new`].
    pub(super) fn update(&mut self, seen: &NormalizedBox) {
        let [x, y, width, height] = centre_and_size(seen);
        let (across, down) = self.sides();
        self.x.update(x, across, CENTRE);
        self.y.update(y, down, CENTRE);
        self.width.update(width, across, SIZE);
        self.height.update(height, down, SIZE);
        self.keep_near_the_picture();
    }

    /// The estimated box, which may reach beyond the picture's edges.
    #[allow(clippy::cast_possible_truncation, reason = "ratios need no more than f32")]
    pub(super) fn estimate(&self) -> NormalizedBox {
        let (width, height) = self.sides();
        let (left, top) = (self.x.position - width / 2.0, self.y.position - height / 2.0);
        NormalizedBox { left: left as f32, top: top as f32, width: width as f32, height: height as f32 }
    }

    /// The uncertainty of the centre: one standard deviation horizontally and vertically, in ratios.
    #[allow(clippy::cast_possible_truncation, reason = "ratios need no more than f32")]
    pub(super) fn deviation(&self) -> (f32, f32) {
        (self.x.p00.sqrt() as f32, self.y.p00.sqrt() as f32)
    }

    fn sides(&self) -> (f64, f64) {
        (self.width.position.max(MIN_SIDE), self.height.position.max(MIN_SIDE))
    }

    /// Limits the estimate to one picture's size around the picture: long predictions lead anywhere.
    fn keep_near_the_picture(&mut self) {
        for centre in [&mut self.x, &mut self.y] {
            centre.position = centre.position.clamp(-1.0, 2.0);
        }
        for size in [&mut self.width, &mut self.height] {
            size.position = size.position.clamp(MIN_SIDE, 1.0);
        }
    }
}

/// Centre x and y, width, height.
fn centre_and_size(seen: &NormalizedBox) -> [f64; 4] {
    let x = f64::from(seen.left) + f64::from(seen.width) / 2.0;
    let y = f64::from(seen.top) + f64::from(seen.height) / 2.0;
    [x, y, f64::from(seen.width), f64::from(seen.height)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(left: f32) -> NormalizedBox {
        NormalizedBox { left, top: 0.4, width: 0.05, height: 0.2 }
    }

    #[test]
    fn a_walking_person_is_predicted_at_uneven_times() {
        let mut filter = BoxFilter::new(&person(0.1));
        let mut left = 0.1;
        for dt in [0.2, 0.4, 0.2, 0.6, 0.2, 0.2, 0.4] {
            left += 0.1 * dt;
            filter.predict(f64::from(dt));
            filter.update(&person(left));
        }
        filter.predict(1.0);
        assert!((filter.estimate().left - (left + 0.1)).abs() < 0.01, "{:?}, not {}", filter.estimate(), left + 0.1);
    }

    #[test]
    fn two_short_predictions_equal_one_long_one() {
        let mut once = BoxFilter::new(&person(0.1));
        once.predict(0.2);
        once.update(&person(0.12));
        let mut twice = once;
        once.predict(0.5);
        twice.predict(0.2);
        twice.predict(0.3);
        assert!((once.x.p00 - twice.x.p00).abs() < 1e-12 && (once.x.p01 - twice.x.p01).abs() < 1e-12);
        assert!((once.x.position - twice.x.position).abs() < 1e-12);
    }

    #[test]
    fn the_uncertainty_grows_while_an_object_is_unseen() {
        let mut filter = BoxFilter::new(&person(0.1));
        let mut before = filter.deviation();
        for _ in 0..5 {
            filter.predict(0.2);
            let now = filter.deviation();
            assert!(now.0 > before.0 && now.1 > before.1);
            before = now;
        }
        filter.update(&person(0.1));
        assert!(filter.deviation().0 < before.0);
    }

    proptest! {
        #[test]
        fn it_stays_finite_and_its_variances_positive(
            seen in prop::collection::vec((0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0, -1.0f64..1e6), 1..60)
        ) {
            let boxes = seen.into_iter().filter_map(|(left, top, right, bottom, dt)| {
                Some((NormalizedBox::from_corners(left, top, right, bottom)?, dt))
            });
            let mut filter: Option<BoxFilter> = None;
            for (seen, dt) in boxes {
                let filter = filter.get_or_insert_with(|| BoxFilter::new(&seen));
                filter.predict(dt);
                filter.update(&seen);
                for axis in [filter.x, filter.y, filter.width, filter.height] {
                    prop_assert!(axis.position.is_finite() && axis.velocity.is_finite());
                    prop_assert!(axis.p00 >= 0.0 && axis.p11 >= 0.0 && axis.p01.is_finite());
                }
                let (x, y) = filter.deviation();
                prop_assert!(x.is_finite() && y.is_finite());
            }
        }
    }
}
