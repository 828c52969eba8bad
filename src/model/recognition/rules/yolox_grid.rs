//! YOLOX as exported by default: raw outputs of the heads, not decoded to boxes.

use super::usual_sizes::STRIDES;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, is_computed, size};

const STRIDES_P6: [u32; 4] = [8, 16, 32, 64];

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,N,5+C]")?;
    let classes = size(output, 2).and_then(|columns| columns.checked_sub(5)).filter(|classes| *classes > 0);
    let classes = classes.ok_or("needs one output [1,N,5+C]")?;
    let rows = size(output, 1);
    let strides = [&STRIDES[..], &STRIDES_P6].into_iter().find(|strides| subject.cells(strides) == rows);
    let (Some(strides), Some(_)) = (strides, rows) else {
        let cells = subject.cells(&STRIDES).map_or("a fixed number of".to_owned(), |cells| cells.to_string());
        return Err(format!("needs {cells} rows, one per cell of the grids 8, 16, 32"));
    };
    if (subject.facts.uses("Exp") > 0 || is_computed(output)) && !subject.is_chosen {
        return Err("needs undecoded boxes, and these are computed: see yolov5".to_owned());
    }
    subject.check_classes(classes)?;
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "boxes are relative to the cells of grids",
        output: vec![
            Setting::assumed(
                "output",
                output.name.as_str(),
                "boxes are not decoded: nothing in the graph computes them",
            ),
            Setting::noted("strides", strides, "the output has one row per cell of their grids"),
        ],
        left_out: None,
        habit: habits::YOLOX,
    })
}
