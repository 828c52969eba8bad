//! YOLOv8 and its successors: one column per candidate with a box in pixels and class scores, no objectness.

use super::usual_sizes::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

/// If the number of columns is dynamic, more rows than this are candidates and not classes.
const MOST_ROWS: u64 = 1000;

/// Mask coefficients per candidate.
const MASKS: u64 = 32;

/// Rows of the 17 key points of a person, each with a visibility.
const POINTS: u64 = 51;

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,4+C,N]")?;
    if subject.task() == Some("obb") {
        return Err("needs upright boxes, and these are rotated boxes (OBB)".to_owned());
    }
    let shown = || "needs one output [1,4+C,N] with more columns than rows".to_owned();
    let rows = size(output, 1).ok_or_else(shown)?;
    let columns = size(output, 2);
    if rows < 5 || columns.is_some_and(|columns| columns <= rows) || (columns.is_none() && rows > MOST_ROWS) {
        return Err(shown());
    }
    let has_masks = subject.facts.outputs.iter().any(|other| other.shape.len() == 4 && size(other, 1) == Some(MASKS));
    let (classes, unread) = classes(subject, rows, has_masks)?;
    let note = unread.map_or("all rows except 4 for the box".to_owned(), |what| {
        format!("all rows except 4 for the box and those of {what}, which are not read")
    });
    let left_out = unread.map(|what| format!("{} rows of {what}", rows - 4 - classes));
    let is_grid = columns.is_some() && columns == subject.cells(&STRIDES);
    Ok(Match {
        certainty: if is_grid || subject.is_ultralytics() { Certainty::Sure } else { Certainty::Possible },
        choose_if: "each column is a box in pixels and a score per class",
        output: vec![
            Setting::assumed("output", output.name.as_str(), "centre and size in pixels; scores between 0 and 1"),
            Setting::noted("classes", classes, note),
        ],
        left_out,
        habit: habits::YOLO,
    })
}

/// How many rows after the box are classes, and what the rows after them are, which are not read.
fn classes(subject: &Subject<'_>, rows: u64, has_masks: bool) -> Result<(u64, Option<&'static str>), String> {
    let (further, labels) = (rows - 4, subject.classes);
    if subject.task() == Some("pose") || (labels == Some(1) && further == 1 + POINTS) {
        let classes = labels.filter(|classes| *classes <= further);
        let classes = classes.ok_or("needs the labels, to tell classes from key points")?;
        return Ok((classes, Some("key points").filter(|_| classes < further)));
    }
    if has_masks && further > MASKS {
        subject.check_classes(further - MASKS)?;
        return Ok((further - MASKS, Some("masks")));
    }
    if labels.is_none() && further == 1 + POINTS && !subject.is_chosen {
        return Err("needs labels: 56 rows are 52 classes, or 1 and 17 key points".to_owned());
    }
    if labels.is_some_and(|labels| labels + 1 == further) {
        return Err(format!("has one row more than {} labels: rotated boxes?", further - 1));
    }
    subject.check_classes(further)?;
    Ok((further, None))
}
