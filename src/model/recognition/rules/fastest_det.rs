//! FastestDet: one feature map with objectness, box and class scores.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

/// Pixels per cell.
const STRIDE: u32 = 16;

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let wanted = "needs one output [1,5+C,H,W] with 16 pixels per cell";
    let [output] = &subject.facts.outputs[..] else {
        return Err(wanted.to_owned());
    };
    let cells = |pixels: Option<u32>| pixels.map(|pixels| u64::from(pixels.div_ceil(STRIDE)));
    let has_grid = size(output, 2) == cells(subject.picture.height) && size(output, 3) == cells(subject.picture.width);
    let classes = size(output, 1).and_then(|channels| channels.checked_sub(5)).filter(|classes| *classes > 0);
    let (4, true, Some(classes)) = (output.shape.len(), has_grid, classes) else {
        return Err(wanted.to_owned());
    };
    subject.check_classes(classes)?;
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "each cell has an objectness, a box and a score per class",
        output: vec![Setting::known("output", output.name.as_str())],
        left_out: None,
        habit: habits::FASTEST_DET,
    })
}
