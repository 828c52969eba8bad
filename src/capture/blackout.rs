//! Makes parts of a frame black, before anything is made of it that leaves the process.
//!
//! A sample is black if a polygon touches any of it, in each plane at its own size: a colour sample is shared by four pixels,
//! and none of them may tell of what is hidden. What a polygon goes around is inside, however often it crosses itself.

use crate::vision::frame::{PictureLayout, PixelFormat};

/// Corners in ratios 0..=1 of the picture.
type Area = Vec<[f32; 2]>;

/// Colour without any.
const GREY: u8 = 128;

/// Rounding of `f32` corners, in samples. Without it, an edge on the border of two samples would black out the neighbour too.
const SLACK: f64 = 1e-3;

/// The side of a polygon from its upper to its lower end, in samples of a plane.
#[derive(Clone, Copy, Debug)]
struct Side {
    upper: [f64; 2],
    lower: [f64; 2],
    /// 1 for one that went downwards, -1 for one that went upwards.
    turn: i32,
}

/// Makes the areas black in these samples.
pub(super) fn paint(samples: &mut [u8], picture: PictureLayout, areas: &[Area]) {
    let black = if picture.colorimetry.full_range { 0 } else { 16 };
    let size = [f64::from(picture.width), f64::from(picture.height)];
    for (number, plane) in picture.planes().into_iter().enumerate() {
        let (scale, value) = if number == 0 { (1.0, black) } else { (0.5, GREY) };
        let bytes_each = if number > 0 && picture.format == PixelFormat::Nv12 { 2 } else { 1 };
        for area in areas {
            let sides = sides(area, size.map(|side| side * scale));
            for row in 0..plane.height {
                for (first, end) in spans(&sides, row, plane.width) {
                    let start = plane.offset + row * plane.stride;
                    // What a frame that is too short has of it is hidden as well.
                    let end = (start + end * bytes_each).min(samples.len());
                    if let Some(hidden) = samples.get_mut(start + first * bytes_each..end) {
                        hidden.fill(value);
                    }
                }
            }
        }
    }
}

fn sides(area: &Area, [width, height]: [f64; 2]) -> Vec<Side> {
    let corner = |[x, y]: &[f32; 2]| [f64::from(*x) * width, f64::from(*y) * height];
    let ends = area.iter().zip(area.iter().cycle().skip(1));
    let side = |(from, to): (&[f32; 2], &[f32; 2])| {
        let (from, to) = (corner(from), corner(to));
        match from[1] <= to[1] {
            true => Side { upper: from, lower: to, turn: 1 },
            false => Side { upper: to, lower: from, turn: -1 },
        }
    };
    ends.map(side).collect()
}

/// The samples of a row that the polygon touches, as first ones and ends: what its sides pass through, and what lies between.
fn spans(sides: &[Side], row: usize, width: usize) -> Vec<(usize, usize)> {
    let (top, bottom) = (row as f64, row as f64 + 1.0);
    let mut spans = Vec::new();
    let mut crossings = Vec::new();
    for side in sides.iter().filter(|side| side.lower[1] > top + SLACK && side.upper[1] < bottom - SLACK) {
        let (from, to) = (side.at(top), side.at(bottom));
        spans.push(samples_between(from.min(to), from.max(to), width));
        let middle = top + 0.5;
        if side.upper[1] <= middle && side.lower[1] > middle {
            crossings.push((side.at(middle), side.turn));
        }
    }
    crossings.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut turns = 0;
    for pair in crossings.windows(2) {
        turns += pair[0].1;
        if turns != 0 {
            spans.push(samples_between(pair[0].0, pair[1].0, width));
        }
    }
    spans
}

impl Side {
    /// Where it is at this height, or at its nearer end.
    fn at(&self, height: f64) -> f64 {
        let ([from, upper], [to, lower]) = (self.upper, self.lower);
        if height <= upper {
            return from;
        }
        if height >= lower {
            return to;
        }
        from + (to - from) * (height - upper) / (lower - upper)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are clamped to the plane")]
fn samples_between(from: f64, to: f64, width: usize) -> (usize, usize) {
    let most = width as f64;
    let (first, end) = ((from + SLACK).floor().clamp(0.0, most), (to - SLACK).ceil().clamp(0.0, most));
    (first as usize, end.max(first) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::frame::Colorimetry;
    use proptest::prelude::*;

    fn layout(format: PixelFormat, width: u32, height: u32) -> PictureLayout {
        PictureLayout { format, width, height, colorimetry: Colorimetry::default() }
    }

    /// The luma of a bright picture in which the area is black: `#` is hidden.
    fn painted(area: &[[f32; 2]], width: u32, height: u32) -> Vec<String> {
        let picture = layout(PixelFormat::I420, width, height);
        let mut samples = vec![200; picture.bytes()];
        paint(&mut samples, picture, &[area.to_vec()]);
        let rows = samples[..(width * height) as usize].chunks(width as usize);
        rows.map(|row| row.iter().map(|value| if *value == 16 { '#' } else { '.' }).collect()).collect()
    }

    #[test]
    fn what_a_polygon_touches_is_hidden() {
        let inner = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
        assert_eq!(painted(&inner, 8, 4), ["........", "..####..", "..####..", "........"]);
        let triangle = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        assert_eq!(painted(&triangle, 4, 4), ["####", "###.", "##..", "#..."]);
        // Narrower than a pixel.
        assert_eq!(painted(&[[0.3, 0.3], [0.31, 0.3], [0.31, 0.31]], 4, 4), ["....", ".#..", "....", "...."]);
        assert_eq!(painted(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], 3, 3), ["###"; 3]);
    }

    #[test]
    fn what_a_polygon_goes_around_twice_is_hidden_too() {
        // Around the whole, and around the inner part in the same direction.
        let twice = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]];
        assert_eq!(painted(&twice, 8, 4), ["########"; 4]);
        // An hourglass.
        let crossed = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        assert_eq!(painted(&crossed, 4, 4), ["####", ".##.", ".##.", "####"]);
    }

    #[test]
    fn colours_go_with_the_pixels_that_share_them() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let picture = layout(format, 7, 5);
            let mut samples = vec![200; picture.bytes()];
            // Pixels 2 to 4 of a row: the colour samples 1 and 2, which are shared by pixel 5.
            paint(
                &mut samples,
                picture,
                &[vec![[2.0 / 7.0, 0.0], [5.0 / 7.0, 0.0], [5.0 / 7.0, 1.0], [2.0 / 7.0, 1.0]]],
            );
            let colours = match format {
                PixelFormat::I420 => vec![200, 128, 128, 200],
                PixelFormat::Nv12 => vec![200, 200, 128, 128, 128, 128, 200, 200],
            };
            assert!(samples[35..].chunks(colours.len()).all(|row| row == colours), "{:?}", &samples[35..]);
            assert!(samples[..35].chunks(7).all(|row| row == [200, 200, 16, 16, 16, 200, 200]), "{:?}", &samples[..35]);
        }
        let full = PictureLayout {
            colorimetry: Colorimetry { full_range: true, bt709: true },
            ..layout(PixelFormat::I420, 2, 2)
        };
        let mut samples = vec![200; full.bytes()];
        paint(&mut samples, full, &[vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]);
        assert_eq!(samples, [0, 0, 0, 0, 128, 128]);
    }

    proptest! {
        #[test]
        fn no_pixel_whose_middle_is_inside_is_left_and_samples_that_are_missing_are_no_harm(
            area in prop::collection::vec(prop::array::uniform2(0.0f32..=1.0), 3..9),
            (width, height) in (1_u32..40, 1_u32..40),
            missing in 0_usize..50,
        ) {
            let picture = layout(PixelFormat::Nv12, width, height);
            let mut samples = vec![200; picture.bytes().saturating_sub(missing)];
            paint(&mut samples, picture, std::slice::from_ref(&area));
            for (place, value) in samples.iter().enumerate().take((width * height) as usize) {
                let (x, y) = (place % width as usize, place / width as usize);
                let middle = [(x as f64 + 0.5) / f64::from(width), (y as f64 + 0.5) / f64::from(height)];
                prop_assert!(*value == 16 || !is_around(&area, middle), "{}, {}", x, y);
            }
        }
    }

    /// By the sum of the angles under which its sides are seen.
    fn is_around(area: &[[f32; 2]], [x, y]: [f64; 2]) -> bool {
        let angle = |corner: &[f32; 2]| (f64::from(corner[1]) - y).atan2(f64::from(corner[0]) - x);
        let turns = area.iter().zip(area.iter().cycle().skip(1)).map(|(from, to)| {
            let turn = angle(to) - angle(from);
            turn - std::f64::consts::TAU * (turn / std::f64::consts::TAU).round()
        });
        turns.sum::<f64>().abs() > 1.0
    }
}
