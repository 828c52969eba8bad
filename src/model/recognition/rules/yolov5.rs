//! YOLOv5, YOLOv7, and YOLOX decoded in the graph: boxes in pixels, objectness, class scores.

use super::usual_sizes::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, is_computed, size};

/// YOLOv5 and YOLOv7 have three anchors per cell.
const ANCHORS: u64 = 3;

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,N,5+C]")?;
    let classes = size(output, 2).and_then(|columns| columns.checked_sub(5)).filter(|classes| *classes > 0);
    let classes = classes.ok_or("needs one output [1,N,5+C]")?;
    let (rows, cells) = (size(output, 1), subject.cells(&STRIDES));
    if rows.is_some_and(|rows| rows <= classes + 5) {
        return Err("needs one output [1,N,5+C] with more rows than columns".to_owned());
    }
    if ends_with(output, &["Softmax"]) && !subject.is_chosen {
        return Err("needs boxes and scores, but all columns go through one softmax".to_owned());
    }
    subject.check_classes(classes)?;
    let p6 = subject.cells(&[8, 16, 32, 64]);
    let has = |count: Option<u64>| rows.is_some() && count == rows;
    let times = |count: Option<u64>| count.map(|count| count * ANCHORS);
    let decoded = "boxes are decoded to pixels";
    let (certainty, habit, why) = if has(times(cells)) || has(times(p6)) {
        let why = format!("{decoded}: three rows per cell, as in YOLOv5 and YOLOv7");
        (Certainty::Sure, habits::YOLO, why)
    } else if has(cells) || has(p6) {
        let has_exp = subject.facts.uses("Exp") > 0;
        if !has_exp && !is_computed(output) && !subject.is_chosen {
            return Err("needs decoded boxes, but nothing computes them: see yolox_grid".to_owned());
        }
        match has_exp {
            true => (Certainty::Sure, habits::YOLOX, format!("{decoded}: one row per cell, and an `Exp`, as in YOLOX")),
            false => {
                (Certainty::Sure, habits::YOLO, format!("{decoded}: one row per cell without `Exp`, as in YOLOv6"))
            }
        }
    } else {
        (Certainty::Possible, habits::YOLO, format!("{decoded}; the number of rows does not confirm it"))
    };
    Ok(Match {
        certainty,
        choose_if: "each row is a box in pixels, an objectness, and a score per class",
        output: vec![Setting::assumed("output", output.name.as_str(), why)],
        left_out: None,
        habit,
    })
}
