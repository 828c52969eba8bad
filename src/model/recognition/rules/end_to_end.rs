//! Detectors whose output needs no NMS: YOLOv10, CenterNet, and others exported with NMS in the graph.

use super::usual_sizes::{MANY, STRIDES};
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,N,6]")?;
    if size(output, 2) != Some(6) {
        return Err("needs [1,N,6]: four edges, score, class".to_owned());
    }
    let rows = size(output, 1);
    if rows.is_some_and(|rows| rows > MANY) && !subject.is_chosen {
        return Err(format!("needs at most {MANY} detections"));
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
        left_out: None,
        habit: habits::YOLO,
    })
}
