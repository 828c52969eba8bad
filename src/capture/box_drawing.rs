//! Rectangles, drawn into the planes of a picture.

use crate::capture::jfif_planes::JfifPlanes;
use crate::vision::geometry::NormalizedBox;

/// Y, Cb and Cr of (64, 255, 64): a green that is told from most pictures.
pub(super) const COLOR: [u8; 3] = [176, 65, 48];

/// A rectangle in samples of one plane: where it begins, and where it ends.
#[derive(Clone, Copy)]
struct Edges {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    thickness: usize,
}

impl Edges {
    /// The same in a plane of half the size.
    fn halved(self) -> Self {
        let Self { left, top, right, bottom, thickness } = self;
        Self {
            left: left / 2,
            top: top / 2,
            right: right.div_ceil(2),
            bottom: bottom.div_ceil(2),
            thickness: thickness / 2,
        }
    }
}

/// Draws the outlines of boxes: on even samples, so that a line has its colour and not half of its neighbour's.
pub(super) fn draw(planes: &mut JfifPlanes, boxes: &[NormalizedBox]) {
    let (width, height, chroma_width) = (planes.width, planes.height, planes.chroma_width());
    // Four pixels at 1280.
    let thickness = (width.max(height) / 640).max(1) * 2;
    for found in boxes {
        let edges = Edges {
            left: even(found.left, width),
            top: even(found.top, height),
            right: (even(found.right(), width) + 2).min(width),
            bottom: (even(found.bottom(), height) + 2).min(height),
            thickness,
        };
        let [luma, cb, cr] = &mut planes.samples;
        outline(luma, width, edges, COLOR[0]);
        outline(cb, chroma_width, edges.halved(), COLOR[1]);
        outline(cr, chroma_width, edges.halved(), COLOR[2]);
    }
}

fn outline(plane: &mut [u8], width: usize, edges: Edges, value: u8) {
    let Edges { left, top, right, bottom, thickness } = edges;
    for (y, row) in plane.chunks_exact_mut(width).enumerate().take(bottom).skip(top) {
        let row = &mut row[left..right];
        if y < top + thickness || y + thickness >= bottom {
            row.fill(value);
        } else {
            let side = thickness.min(row.len());
            row[..side].fill(value);
            let from = row.len() - side;
            row[from..].fill(value);
        }
    }
}

/// A ratio as an even sample inside the plane.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the plane")]
fn even(ratio: f32, side: usize) -> usize {
    ((f64::from(ratio) * side as f64) as usize).min(side - 1) / 2 * 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::frame::{Colorimetry, Picture, PixelFormat};

    fn grey(width: u32, height: u32) -> JfifPlanes {
        let colorimetry = Colorimetry { bt709: false, full_range: true };
        let picture = Picture::new(PixelFormat::I420, width, height, colorimetry).unwrap();
        JfifPlanes::new(&vec![100; picture.bytes()], picture.layout(), width).unwrap()
    }

    #[test]
    fn an_outline_has_its_colour_and_what_is_inside_stays() {
        let mut planes = grey(1280, 720);
        draw(&mut planes, &[NormalizedBox::from_corners(0.25, 0.25, 0.75, 0.75).unwrap()]);
        let at = |plane: usize, x: usize, y: usize| planes.samples[plane][y * [1280, 640, 640][plane] + x];
        for (x, y) in [(320, 180), (640, 183), (323, 400), (961, 400), (640, 541)] {
            assert_eq!([at(0, x, y), at(1, x / 2, y / 2), at(2, x / 2, y / 2)], COLOR, "{x}, {y}");
        }
        for (x, y) in [(319, 300), (640, 179), (324, 400), (640, 360), (962, 400), (640, 542)] {
            assert_eq!(at(0, x, y), 100, "{x}, {y}");
        }
    }

    #[test]
    fn a_box_at_the_edge_of_an_odd_picture_or_smaller_than_its_line_is_drawn() {
        for (width, height) in [(1, 1), (7, 5), (641, 33)] {
            let mut planes = grey(width, height);
            let whole = NormalizedBox::from_corners(0.0, 0.0, 1.0, 1.0).unwrap();
            let tiny = NormalizedBox::from_corners(0.999, 0.999, 1.0, 1.0).unwrap();
            draw(&mut planes, &[whole, tiny]);
            assert_eq!(planes.samples[0][0], COLOR[0]);
            assert_eq!(planes.samples.each_ref().map(|plane| plane[plane.len() - 1]), COLOR);
        }
    }
}
