//! Maps a picture into a model's input (stretch, letterbox, centre crop), and boxes back to the picture.

use crate::model::input_layout::{Fit, InputLayout};
use crate::vision::geometry::NormalizedBox;

/// The part of the picture that is used, and the rectangle of the input that it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The used part of the picture, normalised to 0..1.
    pub source: NormalizedBox,
    /// Left edge of the rectangle, in pixels of the input.
    pub left: u32,
    /// Top edge of the rectangle, in pixels of the input.
    pub top: u32,
    /// Width of the rectangle, in pixels of the input.
    pub width: u32,
    /// Height of the rectangle, in pixels of the input.
    pub height: u32,
    /// Width of the whole input in pixels.
    pub input_width: u32,
    /// Height of the whole input in pixels.
    pub input_height: u32,
}

impl Placement {
    /// Fits `view`, a normalised part of a picture of `width` x `height` pixels, into an input.
    pub fn new(input: &InputLayout, (width, height): (u32, u32), view: NormalizedBox) -> Self {
        let (input_width, input_height) = (input.width, input.height);
        let full =
            Self { source: view, left: 0, top: 0, width: input_width, height: input_height, input_width, input_height };
        let (view_width, view_height) = (view.width * width as f32, view.height * height as f32);
        let (scale_x, scale_y) = (input_width as f32 / view_width, input_height as f32 / view_height);
        match input.fit {
            Fit::Stretch => full,
            Fit::CenterCrop => {
                let scale = scale_x.max(scale_y) / input.crop;
                let kept = |side: u32, scale_of_side: f32| (side as f32 / scale / scale_of_side).min(1.0);
                let (kept_x, kept_y) = (kept(input_width, view_width), kept(input_height, view_height));
                Self { source: middle_of(&view, kept_x, kept_y), ..full }
            }
            Fit::LetterboxTopLeft | Fit::LetterboxCenter => {
                let scale = scale_x.min(scale_y);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the input")]
                let scaled = |side: f32, limit: u32| ((side * scale).round() as u32).clamp(1, limit);
                let (width, height) = (scaled(view_width, input_width), scaled(view_height, input_height));
                let is_centered = input.fit == Fit::LetterboxCenter;
                let margin = |all: u32, used: u32| if is_centered { (all - used) / 2 } else { 0 };
                let (left, top) = (margin(input_width, width), margin(input_height, height));
                Self { left, top, width, height, ..full }
            }
        }
    }

    /// Converts a box from pixels of the input to normalised coordinates of the picture; `None` if it lies outside.
    pub fn to_picture(&self, left: f32, top: f32, right: f32, bottom: f32) -> Option<NormalizedBox> {
        let source = &self.source;
        let x = |value: f32| source.left + (value - self.left as f32) / self.width as f32 * source.width;
        let y = |value: f32| source.top + (value - self.top as f32) / self.height as f32 * source.height;
        NormalizedBox::from_corners(x(left), y(top), x(right), y(bottom))
    }

    /// True if part of the input is padding.
    pub fn has_padding(&self) -> bool {
        self.width != self.input_width || self.height != self.input_height
    }
}

fn middle_of(view: &NormalizedBox, share_x: f32, share_y: f32) -> NormalizedBox {
    let (width, height) = (view.width * share_x, view.height * share_y);
    NormalizedBox {
        left: view.left + (view.width - width) / 2.0,
        top: view.top + (view.height - height) / 2.0,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(fit: Fit, size: (u32, u32), input: (u32, u32)) -> Placement {
        let input = InputLayout { fit, ..InputLayout::plain("images", input.0, input.1) };
        Placement::new(&input, size, NormalizedBox::WHOLE)
    }

    #[test]
    fn a_wide_picture_is_letterboxed_with_its_aspect() {
        let placement = place(Fit::LetterboxCenter, (1920, 1080), (416, 416));
        assert_eq!((placement.left, placement.top, placement.width, placement.height), (0, 91, 416, 234));
        assert_eq!(place(Fit::LetterboxTopLeft, (1920, 1080), (416, 416)).top, 0);
        assert_eq!(place(Fit::Stretch, (1920, 1080), (300, 300)).height, 300);
    }

    #[test]
    fn a_centre_crop_keeps_the_input_s_aspect_and_its_share() {
        let input = InputLayout { fit: Fit::CenterCrop, crop: 0.875, ..InputLayout::plain("images", 224, 224) };
        let source = Placement::new(&input, (640, 480), NormalizedBox::WHOLE).source;
        // 0.875 * 480 = 420 pixels each way.
        assert!((source.width * 640.0 - 420.0).abs() < 0.01 && (source.height * 480.0 - 420.0).abs() < 0.01);
        assert!((source.left * 640.0 - 110.0).abs() < 0.01 && (source.top * 480.0 - 30.0).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn a_box_comes_back_to_where_it_was(
            width in 1u32..8000, height in 1u32..8000, left in 0.0f32..0.9, top in 0.0f32..0.9,
            view_left in 0.0f32..0.5, view_width in 0.1f32..0.5, fit in 0usize..4
        ) {
            let fit = [Fit::LetterboxCenter, Fit::LetterboxTopLeft, Fit::Stretch, Fit::CenterCrop][fit];
            let input = InputLayout { fit, ..InputLayout::plain("images", 416, 320) };
            let view = NormalizedBox { left: view_left, top: 0.25, width: view_width, height: 0.5 };
            let placement = Placement::new(&input, (width, height), view);
            prop_assert!(placement.left + placement.width <= 416 && placement.top + placement.height <= 320);
            let source = placement.source;
            prop_assert!(source.left >= view.left - 1e-4 && source.right() <= view.right() + 1e-4);
            let x = |ratio: f32| placement.left as f32 + ratio * placement.width as f32;
            let y = |ratio: f32| placement.top as f32 + ratio * placement.height as f32;
            let back = placement.to_picture(x(left), y(top), x(left + 0.1), y(top + 0.1)).unwrap();
            prop_assert!((back.left - source.left - left * source.width).abs() < 1e-3);
            prop_assert!((back.top - source.top - top * source.height).abs() < 1e-3);
            prop_assert!((back.width - 0.1 * source.width).abs() < 2e-3);
            prop_assert!((back.height - 0.1 * source.height).abs() < 2e-3);
        }
    }
}
