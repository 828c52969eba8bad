//! Boxes in pixels as in COCO: corner and size in double precision, because pycocotools computes with it.

use crate::vision::geometry::NormalizedBox;

/// A box in pixels of its picture. It may extend beyond the picture, and it may be empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelBox {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Why numbers are not a box.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidBox {
    /// A number is NaN or infinite.
    #[error("an edge or a size of the box is not a finite number")]
    NotFinite,
    /// The width or height is negative.
    #[error("the box has a negative width or height")]
    NegativeSize,
}

impl PixelBox {
    /// A box in the form of COCO's `bbox`: `[left, top, width, height]` in pixels.
    ///
    /// # Errors
    /// [`InvalidBox`] when a number is not finite or a size is negative.
    pub fn new(left: f64, top: f64, width: f64, height: f64) -> Result<Self, InvalidBox> {
        if ![left, top, width, height].iter().all(|value| value.is_finite()) {
            return Err(InvalidBox::NotFinite);
        }
        if width < 0.0 || height < 0.0 {
            return Err(InvalidBox::NegativeSize);
        }
        Ok(Self { left, top, width, height })
    }

    /// A detector's box in ratios of a picture of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`InvalidBox`] when a ratio is not finite or a size is negative.
    pub fn from_ratios(ratios: &NormalizedBox, width: u32, height: u32) -> Result<Self, InvalidBox> {
        let (width, height) = (f64::from(width), f64::from(height));
        Self::new(
            f64::from(ratios.left) * width,
            f64::from(ratios.top) * height,
            f64::from(ratios.width) * width,
            f64::from(ratios.height) * height,
        )
    }

    /// The area in square pixels.
    pub fn area(&self) -> f64 {
        self.width * self.height
    }

    /// The overlap of this detection with an annotated box, 0..=1: the IoU, or for a crowd the intersection over the
    /// detection's own area, because one person cannot fill a crowd (pycocotools 2.0, `bbIou`).
    pub(super) fn overlap(&self, truth: &Self, is_crowd: bool) -> f64 {
        let width = (self.left + self.width).min(truth.left + truth.width) - self.left.max(truth.left);
        let height = (self.top + self.height).min(truth.top + truth.height) - self.top.max(truth.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        let whole = if is_crowd { self.area() } else { self.area() + truth.area() - shared };
        let ratio = shared / whole;
        // Extreme sizes underflow or overflow to areas of 0 or infinity, whose ratio has no meaning.
        if ratio.is_finite() { ratio } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(left: f64, top: f64, width: f64, height: f64) -> PixelBox {
        PixelBox::new(left, top, width, height).unwrap()
    }

    #[test]
    fn numbers_that_are_no_box_are_refused() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in 0..4 {
                let mut numbers = [1.0; 4];
                numbers[place] = bad;
                let [left, top, width, height] = numbers;
                assert_eq!(PixelBox::new(left, top, width, height), Err(InvalidBox::NotFinite));
            }
        }
        assert_eq!(PixelBox::new(0.0, 0.0, -1.0, 1.0), Err(InvalidBox::NegativeSize));
        assert_eq!(PixelBox::new(0.0, 0.0, 1.0, -1.0), Err(InvalidBox::NegativeSize));
    }

    #[test]
    fn ratios_become_pixels_of_their_picture() {
        let half = NormalizedBox { left: 0.5, top: 0.25, width: 0.25, height: 0.5 };
        assert_eq!(PixelBox::from_ratios(&half, 640, 480), Ok(pixels(320.0, 120.0, 160.0, 240.0)));
        let broken = NormalizedBox { left: f32::NAN, ..half };
        assert_eq!(PixelBox::from_ratios(&broken, 640, 480), Err(InvalidBox::NotFinite));
    }

    #[test]
    fn overlap_is_over_the_union_and_of_a_crowd_over_the_detection() {
        let here = pixels(0.0, 0.0, 10.0, 10.0);
        for (other, of_one, of_crowd) in [
            (here, 1.0, 1.0),
            (pixels(5.0, 0.0, 10.0, 10.0), 50.0 / 150.0, 0.5),
            (pixels(-20.0, -20.0, 100.0, 100.0), 0.01, 1.0),
            (pixels(10.0, 0.0, 10.0, 10.0), 0.0, 0.0),
            (pixels(2.0, 2.0, 0.0, 5.0), 0.0, 0.0),
        ] {
            assert_eq!((here.overlap(&other, false), here.overlap(&other, true)), (of_one, of_crowd), "{other:?}");
        }
    }
}
