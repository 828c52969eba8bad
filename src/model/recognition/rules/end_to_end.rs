//! Detectors whose output needs no NMS: YOLOv10, CenterNet, and others exported with NMS in the graph.

use super::ssd::MANY;
use super::yolox_grid::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,N,6]")?;
    if size(output, 2) != Some(6) {
        return Err(format!("needs [1,N,6]: four edges, score, class; this one is {output}"));
    }
    let rows = size(output, 1);
    if rows.is_some_and(|rows| rows > MANY) {
        return Err(format!("needs at most {MANY} detections; this one is {output}"));
    }
    let cells = subject.cells(&STRIDES);
    let is_grid = rows.is_some() && (rows == cells || rows == cells.map(|cells| 3 * cells));
    Ok(Match {
        certainty: if is_grid || rows.is_none() { Certainty::Possible } else { Certainty::Sure },
        choose_if: "each row is a finished detection: left, top, right, bottom, score, class",
        output: vec![Setting::assumed(
            "output",
            output.name.as_str(),
            "rows are left, top, right, bottom in pixels, score, class",
        )],
        habit: habits::YOLO,
    })
}
