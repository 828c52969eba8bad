//! YOLOv7 and YOLOv9 with NMS in the graph: a row per detection, without an axis for the batch.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let wanted = "needs one output [N,7] of a graph with NMS";
    let [output] = &subject.facts.outputs[..] else { return Err(wanted.to_owned()) };
    let has_rows = output.shape.len() == 2 && size(output, 1) == Some(7);
    // A classifier of seven classes has the same shape.
    if !has_rows || (subject.facts.uses("NonMaxSuppression") == 0 && !subject.is_chosen) {
        return Err(wanted.to_owned());
    }
    let why = "rows are picture, left, top, right, bottom in pixels, class, score";
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "each row is a finished detection, with the number of its picture first",
        output: vec![Setting::assumed("output", output.name.as_str(), why)],
        left_out: None,
        habit: habits::YOLO,
    })
}
