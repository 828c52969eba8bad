//! Regions of the picture: polygons in ratios, and whether an object stands in one.
//!
//! The position of an object is the middle of its box's lower edge. A person's head may appear in front of a gate that is
//! metres behind, but the feet are on the ground that the region was drawn on. This rule holds for regions and masks.

use crate::vision::geometry::NormalizedBox;

/// `[x, y]` in ratios of the picture, from its top left.
pub type Point = [f32; 2];

/// A point this near to an edge, in ratios, lies on it. This is far less than a pixel, but more than rounding errors.
const ON_EDGE: f32 = 1e-5;

/// Why points do not form a polygon.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(crate) enum PolygonError {
    /// Fewer than three corners.
    #[error("{0} points enclose no area: give at least 3")]
    TooFewPoints(usize),
    /// More corners than a person draws. Each one costs time in every frame.
    #[error("{0} points are too many: give at most {MAX_POINTS}")]
    TooManyPoints(usize),
    /// A corner lies outside the picture.
    #[error("[{x}, {y}] is outside the picture: give ratios of its width and height, 0.0 to 1.0")]
    OutsidePicture {
        /// The distance from the left edge.
        x: f32,
        /// The distance from the upper edge.
        y: f32,
    },
    /// All corners lie on one line or point.
    #[error("the points enclose no area: they lie on one line")]
    Flat,
}

/// The most corners a polygon may have.
pub(crate) const MAX_POINTS: usize = 64;

/// An area of the picture, closed from its last corner to its first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Polygon {
    corners: Vec<Point>,
}

impl Polygon {
    /// A polygon with these corners in order, each `[x, y]` in ratios of the picture from its top left.
    ///
    /// # Errors
    /// [`PolygonError`] when the points enclose no area, or one lies outside the picture.
    pub(crate) fn new(corners: &[Point]) -> Result<Self, PolygonError> {
        if corners.len() < 3 {
            return Err(PolygonError::TooFewPoints(corners.len()));
        }
        if corners.len() > MAX_POINTS {
            return Err(PolygonError::TooManyPoints(corners.len()));
        }
        for &[x, y] in corners {
            // NaN is in no range.
            if !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) {
                return Err(PolygonError::OutsidePicture { x, y });
            }
        }
        let [first, second] =
            [corners[0], *corners.iter().find(|corner| **corner != corners[0]).unwrap_or(&corners[0])];
        if corners.iter().all(|&corner| turn(first, second, corner).abs() <= f32::EPSILON) {
            return Err(PolygonError::Flat);
        }
        Ok(Self { corners: corners.to_vec() })
    }

    /// True if the point lies inside or on the edge. If the polygon crosses itself, areas that are covered twice are outside
    /// (even-odd rule).
    ///
    /// The edge counts as inside because an object that the picture's lower edge cuts off stands exactly on that edge.
    pub(crate) fn contains(&self, point: Point) -> bool {
        let mut is_inside = false;
        let mut from = self.corners[self.corners.len() - 1];
        for &to in &self.corners {
            if lies_on(point, from, to) {
                return true;
            }
            // Does the ray from the point to the right cross this edge?
            if (from[1] > point[1]) != (to[1] > point[1]) {
                let along = (point[1] - from[1]) / (to[1] - from[1]);
                if point[0] < from[0] + along * (to[0] - from[0]) {
                    is_inside = !is_inside;
                }
            }
            from = to;
        }
        is_inside
    }
}

/// A polygon with a name, which events report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region {
    /// `[a-z0-9_-]{1,64}`.
    pub name: String,
    /// The area of the region.
    pub area: Polygon,
}

/// The position where an object stands: the middle of its box's lower edge.
pub(crate) fn standing_point(bounding_box: &NormalizedBox) -> Point {
    [bounding_box.left + bounding_box.width / 2.0, bounding_box.bottom()]
}

/// Twice the signed area of the triangle of three points.
fn turn(a: Point, b: Point, c: Point) -> f32 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// True if the point's distance from the line between `from` and `to` is at most [`ON_EDGE`].
fn lies_on(point: Point, from: Point, to: Point) -> bool {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length_squared = dx * dx + dy * dy;
    let along = ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / length_squared.max(f32::MIN_POSITIVE);
    let along = along.clamp(0.0, 1.0);
    let (off_x, off_y) = (point[0] - from[0] - along * dx, point[1] - from[1] - along * dy);
    off_x * off_x + off_y * off_y <= ON_EDGE * ON_EDGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn polygon(corners: &[Point]) -> Polygon {
        Polygon::new(corners).unwrap()
    }

    #[test]
    fn points_that_enclose_no_area_in_the_picture_are_refused() {
        assert_eq!(Polygon::new(&[[0.0, 0.0], [1.0, 1.0]]), Err(PolygonError::TooFewPoints(2)));
        let outside = Polygon::new(&[[0.0, 0.0], [1.2, 0.5], [0.0, 1.0]]);
        assert_eq!(outside, Err(PolygonError::OutsidePicture { x: 1.2, y: 0.5 }));
        assert!(Polygon::new(&[[0.0, 0.0], [f32::NAN, 0.5], [0.0, 1.0]]).is_err());
        assert_eq!(Polygon::new(&[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]), Err(PolygonError::Flat));
        assert_eq!(Polygon::new(&[[0.1, 0.1]; 3]), Err(PolygonError::Flat));
        assert_eq!(Polygon::new(&[[0.1, 0.1]; 65]), Err(PolygonError::TooManyPoints(65)));
    }

    #[test]
    fn the_notch_of_a_polygon_is_outside_and_its_edges_are_inside() {
        let notched = polygon(&[[0.0, 0.0], [0.5, 0.5], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
        for inside in [[0.1, 0.5], [0.9, 0.5], [0.5, 0.6], [0.5, 0.5], [0.5, 1.0], [1.0, 0.7], [0.0, 0.0]] {
            assert!(notched.contains(inside), "{inside:?}");
        }
        for outside in [[0.5, 0.2], [0.5, 0.49], [0.45, 0.4], [1.1, 0.5], [0.5, 1.01]] {
            assert!(!notched.contains(outside), "{outside:?}");
        }
    }

    #[test]
    fn an_object_cut_off_by_the_pictures_lower_edge_stands_in_the_region_there() {
        let front = polygon(&[[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]);
        let near = NormalizedBox::from_corners(0.4, 0.3, 0.6, 1.7).unwrap();
        assert!(front.contains(standing_point(&near)));
        let far = NormalizedBox::from_corners(0.4, 0.2, 0.45, 0.4).unwrap();
        assert!(!front.contains(standing_point(&far)));
    }

    proptest! {
        #[test]
        fn the_first_corner_and_the_direction_do_not_matter(
            corners in prop::collection::vec(prop::array::uniform2(0.0f32..1.0), 3..9),
            point in prop::array::uniform2(0.0f32..1.0),
            turned_by in 0usize..9,
        ) {
            let Ok(one) = Polygon::new(&corners) else { return Ok(()) };
            let mut other = corners.clone();
            other.rotate_left(turned_by % corners.len());
            other.reverse();
            prop_assert_eq!(one.contains(point), polygon(&other).contains(point));
        }
    }
}
