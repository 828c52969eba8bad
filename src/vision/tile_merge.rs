//! Merges the detections of overlapping tiles into one list.
//!
//! An object on a border is complete in one tile and cut off in another. The IoU of the two boxes may be small, so
//! plain NMS would report both. A box that ends at an inner border of its tile counts as cut off, and is dropped if
//! another box of its class covers most of it.

use crate::vision::detection::Detection;
use crate::vision::geometry::NormalizedBox;

/// The detections of one view (a tile, or the whole) of a picture.
#[derive(Clone, Debug)]
pub struct ViewDetections {
    /// The part of the picture that the unit analysed, in ratios of the picture.
    pub view: NormalizedBox,
    /// Their boxes are in ratios of the picture too, not of the view.
    pub detections: Vec<Detection>,
}

/// A box ends at a border if it is nearer than this to it, as a share of the view.
const NEAR: f32 = 0.02;

/// A cut-off box is part of another one if they share more than this of the smaller box.
const MOST: f32 = 0.6;

/// Merges the views of `region` with NMS at `iou_threshold`. Most confident first, at most `limit`.
pub fn merge(views: Vec<ViewDetections>, region: &NormalizedBox, iou_threshold: f32, limit: usize) -> Vec<Detection> {
    let mut all: Vec<(bool, Detection)> = Vec::new();
    for ViewDetections { view, detections } in views {
        all.extend(detections.into_iter().map(|found| (is_cut(&found, &view, region), found)));
    }
    // Complete boxes first, so that a part never suppresses its whole, whatever its confidence.
    all.sort_by(|(a_cut, a), (b_cut, b)| a_cut.cmp(b_cut).then(b.confidence.total_cmp(&a.confidence)));
    let mut kept: Vec<(bool, Detection)> = Vec::new();
    for (is_cut, candidate) in all {
        let is_known = |(better_is_cut, better): &(bool, Detection)| match (better.bounding_box, candidate.bounding_box)
        {
            (Some(a), Some(b)) if better.class == candidate.class => {
                let smaller = a.area().min(b.area());
                a.iou(&b) > iou_threshold || ((is_cut || *better_is_cut) && a.intersection(&b) > MOST * smaller)
            }
            (None, None) => better.class == candidate.class,
            _ => false,
        };
        if !kept.iter().any(is_known) {
            kept.push((is_cut, candidate));
        }
    }
    let mut detections: Vec<Detection> = kept.into_iter().map(|(_, found)| found).collect();
    detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    detections.truncate(limit);
    detections
}

/// True if the box ends at a border of its view that is not a border of the region.
fn is_cut(found: &Detection, view: &NormalizedBox, region: &NormalizedBox) -> bool {
    let Some(found) = found.bounding_box else { return false };
    let (near_x, near_y) = (NEAR * view.width, NEAR * view.height);
    let ends = |edge: f32, border: f32, of_region: f32, near: f32| {
        (border - of_region).abs() > near && (edge - border).abs() < near
    };
    ends(found.left, view.left, region.left, near_x)
        || ends(found.right(), view.right(), region.right(), near_x)
        || ends(found.top, view.top, region.top, near_y)
        || ends(found.bottom(), view.bottom(), region.bottom(), near_y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::detection::ClassIndex;

    fn detections_in(view: (f32, f32), boxes: &[(u16, f32, [f32; 4])]) -> ViewDetections {
        let view = NormalizedBox { left: view.0, top: 0.0, width: view.1, height: 1.0 };
        let detection = |&(class, confidence, [left, top, right, bottom]): &(u16, f32, [f32; 4])| Detection {
            class: ClassIndex(class),
            confidence,
            bounding_box: NormalizedBox::from_corners(left, top, right, bottom),
        };
        ViewDetections { view, detections: boxes.iter().map(detection).collect() }
    }

    fn confidences(views: Vec<ViewDetections>) -> Vec<f32> {
        merge(views, &NormalizedBox::WHOLE, 0.5, 10).iter().map(|found| found.confidence).collect()
    }

    #[test]
    fn what_two_tiles_see_whole_is_one_object() {
        let left = detections_in((0.0, 0.6), &[(0, 0.8, [0.42, 0.2, 0.55, 0.4])]);
        let right = detections_in((0.4, 0.6), &[(0, 0.9, [0.42, 0.2, 0.56, 0.4])]);
        assert_eq!(confidences(vec![left, right]), [0.9]);
    }

    #[test]
    fn a_part_gives_way_to_the_whole_however_sure_it_is() {
        // The left tile ends at 0.6 and shows a third of the object.
        let left = detections_in((0.0, 0.6), &[(0, 0.95, [0.5, 0.2, 0.6, 0.4]), (1, 0.7, [0.5, 0.2, 0.6, 0.4])]);
        let right = detections_in((0.4, 0.6), &[(0, 0.6, [0.5, 0.2, 0.8, 0.4])]);
        assert_eq!(confidences(vec![left, right]), [0.7, 0.6], "another class stays");
    }

    #[test]
    fn neighbours_within_a_tile_stay_two() {
        let boxes = [(0, 0.9, [0.1, 0.2, 0.3, 0.4]), (0, 0.8, [0.25, 0.2, 0.45, 0.4])];
        assert_eq!(confidences(vec![detections_in((0.0, 0.6), &boxes), detections_in((0.4, 0.6), &[])]), [0.9, 0.8]);
    }
}
