//! Where a picture lies in a model's input, and the way back for boxes.

use crate::model::manifest::Fit;
use crate::vision::geometry::NormalizedBox;

/// The rectangle of the input that the picture fills, in pixels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Placement {
    /// From the left.
    pub left: u32,
    /// From the top.
    pub top: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of the whole input.
    pub input_width: u32,
    /// Of the whole input.
    pub input_height: u32,
}

impl Placement {
    /// Fits a picture of `width` x `height` into an input.
    pub fn new(fit: Fit, width: u32, height: u32, input_width: u32, input_height: u32) -> Self {
        let full = Self { left: 0, top: 0, width: input_width, height: input_height, input_width, input_height };
        if fit == Fit::Stretch {
            return full;
        }
        let scale = (f64::from(input_width) / f64::from(width)).min(f64::from(input_height) / f64::from(height));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the input's size")]
        let scaled = |side: u32, limit: u32| ((f64::from(side) * scale).round() as u32).clamp(1, limit);
        let (width, height) = (scaled(width, input_width), scaled(height, input_height));
        let (left, top) = match fit {
            Fit::LetterboxCenter => ((input_width - width) / 2, (input_height - height) / 2),
            Fit::Stretch | Fit::LetterboxTopLeft => (0, 0),
        };
        Self { left, top, width, height, ..full }
    }

    /// A box in pixels of the input as ratios of the picture; `None` if nothing of it lies in the picture.
    pub fn to_picture(&self, left: f32, top: f32, right: f32, bottom: f32) -> Option<NormalizedBox> {
        let x = |value: f32| (value - self.left as f32) / self.width as f32;
        let y = |value: f32| (value - self.top as f32) / self.height as f32;
        NormalizedBox::from_corners(x(left), y(top), x(right), y(bottom))
    }

    /// A box in ratios of the input as ratios of the picture; `None` if nothing of it lies in the picture.
    pub fn ratios_to_picture(&self, left: f32, top: f32, right: f32, bottom: f32) -> Option<NormalizedBox> {
        let (width, height) = (self.input_width as f32, self.input_height as f32);
        self.to_picture(left * width, top * height, right * width, bottom * height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wide_picture_is_letterboxed_with_its_aspect() {
        let placement = Placement::new(Fit::LetterboxCenter, 1920, 1080, 416, 416);
        assert_eq!((placement.left, placement.top, placement.width, placement.height), (0, 91, 416, 234));
        assert_eq!(Placement::new(Fit::LetterboxTopLeft, 1920, 1080, 416, 416).top, 0);
        assert_eq!(Placement::new(Fit::Stretch, 1920, 1080, 300, 300).height, 300);
    }

    proptest! {
        #[test]
        fn a_box_comes_back_to_where_it_was(
            width in 1u32..8000, height in 1u32..8000, left in 0.0f32..0.9, top in 0.0f32..0.9,
            center in any::<bool>()
        ) {
            let fit = if center { Fit::LetterboxCenter } else { Fit::LetterboxTopLeft };
            let placement = Placement::new(fit, width, height, 416, 320);
            prop_assert!(placement.left + placement.width <= 416 && placement.top + placement.height <= 320);
            let x = |ratio: f32| placement.left as f32 + ratio * placement.width as f32;
            let y = |ratio: f32| placement.top as f32 + ratio * placement.height as f32;
            let back = placement.to_picture(x(left), y(top), x(left + 0.1), y(top + 0.1)).unwrap();
            prop_assert!((back.left - left).abs() < 1e-3 && (back.top - top).abs() < 1e-3);
            prop_assert!((back.width - 0.1).abs() < 2e-3 && (back.height - 0.1).abs() < 2e-3);
        }
    }
}
