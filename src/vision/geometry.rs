//! Boxes in ratios of the picture: the form that ocelli publishes.

use serde::{Deserialize, Serialize};

/// A box in ratios 0..=1 of the picture, as in the MQTT contract and in Rekognition's `BoundingBox`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NormalizedBox {
    /// Left edge over the picture's width.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub left: f32,
    /// Top edge over the picture's height.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub top: f32,
    /// Width over the picture's width.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub width: f32,
    /// Height over the picture's height.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub height: f32,
}

impl NormalizedBox {
    /// The whole picture.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };

    /// A box from its corners in ratios, clipped to the picture.
    ///
    /// Returns `None` when a corner is not finite or no part of the box is inside the picture.
    pub fn from_corners(left: f32, top: f32, right: f32, bottom: f32) -> Option<Self> {
        if ![left, top, right, bottom].iter().all(|value| value.is_finite()) {
            return None;
        }
        let (left, right) = (left.clamp(0.0, 1.0), right.clamp(0.0, 1.0));
        let (top, bottom) = (top.clamp(0.0, 1.0), bottom.clamp(0.0, 1.0));
        let found = Self { left, top, width: right - left, height: bottom - top };
        // Also drops a box so thin that its area underflows to 0.
        (found.width > 0.0 && found.height > 0.0 && found.area() > 0.0).then_some(found)
    }

    /// Right edge over the picture's width.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Bottom edge over the picture's height.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// The share of the picture that it covers, 0..=1.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// The share of the picture that both cover, 0..=1.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = (self.right().min(other.right()) - self.left.max(other.left)).max(0.0);
        let height = (self.bottom().min(other.bottom()) - self.top.max(other.top)).max(0.0);
        width * height
    }

    /// Intersection over union, 0..=1; 0 when both are empty.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::NormalizedBox;

    #[test]
    fn a_box_is_cut_off_at_the_edges() {
        let cut = NormalizedBox::from_corners(-0.5, 0.25, 0.5, 2.0).unwrap();
        assert_eq!(cut, NormalizedBox { left: 0.0, top: 0.25, width: 0.5, height: 0.75 });
        assert!(NormalizedBox::from_corners(1.1, 0.0, 1.2, 1.0).is_none());
        assert!(NormalizedBox::from_corners(f32::NAN, 0.0, 1.0, 1.0).is_none());
        assert!(NormalizedBox::from_corners(0.0, 0.0, f32::INFINITY, 1.0).is_none());
    }

    #[test]
    fn iou_of_a_box_with_itself_is_one_and_with_a_far_one_zero() {
        let here = NormalizedBox::from_corners(0.1, 0.1, 0.3, 0.3).unwrap();
        let there = NormalizedBox::from_corners(0.5, 0.5, 0.9, 0.9).unwrap();
        assert!((here.iou(&here) - 1.0).abs() < 1e-6);
        assert_eq!(here.iou(&there), 0.0);
    }
}
