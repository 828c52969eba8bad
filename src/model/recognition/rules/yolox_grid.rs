//! YOLOX as exported by default: raw outputs of the heads, not decoded to boxes.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) const STRIDES: [u32; 3] = [8, 16, 32];
const STRIDES_P6: [u32; 4] = [8, 16, 32, 64];

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let output = subject.only_output_of(3, "[1,N,5+C]")?;
    let classes = size(output, 2).and_then(|columns| columns.checked_sub(5)).filter(|classes| *classes > 0);
    let classes = classes.ok_or_else(|| format!("needs [1,N,5+C]; this one is {output}"))?;
    let rows = size(output, 1);
    let strides = [&STRIDES[..], &STRIDES_P6].into_iter().find(|strides| subject.cells(strides) == rows);
    let (Some(strides), Some(_)) = (strides, rows) else {
        let cells = subject.cells(&STRIDES).map_or("a fixed number of".to_owned(), |cells| cells.to_string());
        return Err(format!("needs {cells} rows, one per cell of the grids 8, 16, 32; this one is {output}"));
    };
    if subject.facts.uses("Exp") > 0 {
        return Err("needs boxes that are not decoded, but the graph has an `Exp`: see yolov5".to_owned());
    }
    if classes == 79 && subject.classes.is_none() {
        return Err("would have 79 classes: 84 columns are YOLOv8's 4 + 80 with its axes transposed".to_owned());
    }
    subject.check_classes(classes)?;
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "boxes are relative to the cells of grids",
        output: vec![
            Setting::assumed("output", output.name.as_str(), "boxes are not decoded, because the graph has no `Exp`"),
            Setting::noted("strides", strides, "the output has one row per cell of their grids"),
        ],
        habit: habits::YOLOX,
    })
}
