//! YOLOv8 and its successors: one column per candidate with a box in pixels and class scores, no objectness.

use super::yolox_grid::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

/// If the number of columns is dynamic, more rows than this are candidates and not classes.
const MOST_ROWS: u64 = 1000;

/// Mask coefficients per candidate.
const MASKS: u64 = 32;

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,4+C,N]")?;
    if subject.task() == Some("obb") {
        return Err("needs upright boxes, but this one returns rotated boxes".to_owned());
    }
    let shown = || format!("needs one output [1,4+C,N] with more columns than rows; this one is {output}");
    let rows = size(output, 1).ok_or_else(shown)?;
    let columns = size(output, 2);
    if rows < 5 || columns.is_some_and(|columns| columns <= rows) || (columns.is_none() && rows > MOST_ROWS) {
        return Err(shown());
    }
    let has_masks = subject.facts.outputs.iter().any(|other| other.shape.len() == 4 && size(other, 1) == Some(MASKS));
    let (classes, note) = classes(subject, rows, has_masks)?;
    let is_grid = columns.is_some() && columns == subject.cells(&STRIDES);
    Ok(Match {
        certainty: if is_grid || subject.is_ultralytics() { Certainty::Sure } else { Certainty::Possible },
        choose_if: "each column is a box in pixels and a score per class",
        output: vec![Setting::known("output", output.name.as_str()), Setting::noted("classes", classes, note)],
        habit: habits::YOLO,
    })
}

/// How many rows after the box are classes. The rows after them are not read.
fn classes(subject: &Subject<'_>, rows: u64, has_masks: bool) -> Result<(u64, &'static str), String> {
    if subject.task() == Some("pose") {
        let classes = subject.classes.filter(|classes| 4 + classes <= rows);
        let classes = classes.ok_or("needs the labels, to tell the rows of classes from those of key points")?;
        return Ok((classes, "the number of labels; the rows of key points after them are not used"));
    }
    let (classes, note) = match has_masks && rows > 4 + MASKS {
        true => (rows - 4 - MASKS, "all rows except 4 for the box and 32 for the mask, which is not used"),
        false => (rows - 4, "all rows except 4 for the box"),
    };
    subject.check_classes(classes)?;
    Ok((classes, note))
}
