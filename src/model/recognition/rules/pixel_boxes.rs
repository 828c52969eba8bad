//! YOLO-NAS and DAMO-YOLO without NMS: one box in pixels, and one score per class, for each cell of the grids.

use super::ssd::boxes_and_scores;
use super::usual_sizes::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let wanted = "needs two outputs, boxes [1,N,4] and scores [1,N,C]";
    subject.only_picture_goes_in()?;
    let [first, second] = &subject.facts.outputs[..] else { return Err(wanted.to_owned()) };
    let (boxes, scores) = boxes_and_scores(first, second).ok_or(wanted)?;
    let rows = size(boxes, 1);
    if rows != size(scores, 1) {
        return Err("needs as many boxes as rows of scores".to_owned());
    }
    let is_grid = rows.is_some() && rows == subject.cells(&STRIDES);
    if !is_grid && !subject.is_chosen {
        return Err("needs one box per cell of the grids 8, 16, 32".to_owned());
    }
    let classes = size(scores, 2).ok_or_else(|| format!("needs a fixed number of classes in `{}`", scores.name))?;
    subject.check_classes(classes)?;
    // DAMO-YOLO returns the scores first.
    let is_damo = scores.name == first.name;
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "boxes are corners in pixels of the input, scores are between 0 and 1",
        output: vec![
            Setting::assumed("boxes", boxes.name.as_str(), "corners in pixels: one box per cell, as in YOLO-NAS"),
            Setting::assumed("scores", scores.name.as_str(), "between 0 and 1"),
        ],
        left_out: None,
        habit: if is_damo { habits::DAMO_YOLO } else { habits::YOLO_NAS },
    })
}
