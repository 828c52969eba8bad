//! One rule per layout: it matches a model's outputs, or gives the reason why they do not fit.
//!
//! A rule does not depend on other rules. If several layouts fit, the highest certainty decides; between equals, the
//! user must choose.

mod classifier;
mod detr;
mod end_to_end;
mod end_to_end_rows;
mod fastest_det;
mod nano_det;
mod pixel_boxes;
mod rt_detr;
mod ssd;
mod ssd_anchors;
mod ssd_nms;
pub(super) mod usual_sizes;
mod yolov5;
mod yolov8;
mod yolox_grid;

use crate::model::recognition::layout_match::Match;
use crate::model::recognition::subject::Subject;

type Rule = fn(&Subject<'_>) -> Result<Match, String>;

/// All layouts with their rules.
pub(super) const RULES: [(&str, Rule); 14] = [
    ("ssd", ssd::rule),
    ("pixel_boxes", pixel_boxes::rule),
    ("ssd_anchors", ssd_anchors::rule),
    ("ssd_nms", ssd_nms::rule),
    ("yolox_grid", yolox_grid::rule),
    ("yolov5", yolov5::rule),
    ("yolov8", yolov8::rule),
    ("end_to_end", end_to_end::rule),
    ("end_to_end_rows", end_to_end_rows::rule),
    ("detr", detr::rule),
    ("rt_detr", rt_detr::rule),
    ("nano_det", nano_det::rule),
    ("fastest_det", fastest_det::rule),
    ("classifier", classifier::rule),
];
