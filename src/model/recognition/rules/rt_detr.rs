//! RT-DETR, D-FINE and DEIM in their deploy form: final detections, scaled to the size in a second input.

use crate::model::model_facts::{Element, TensorFact};
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let further: Vec<&TensorFact> = subject.further_inputs().collect();
    let [sizes] = further[..] else {
        return Err("needs a second input, for the picture's size".to_owned());
    };
    if sizes.shape.len() != 2 || size(sizes, 1) != Some(2) || sizes.element != Element::Int64 {
        return Err("needs a second input for the picture's size, int64 [1,2]".to_owned());
    }
    let unlike = || "needs labels int64 [1,N], boxes [1,N,4] and scores [1,N]".to_owned();
    let find = |fits: &dyn Fn(&TensorFact) -> bool| subject.facts.outputs.iter().find(|output| fits(output));
    let labels = find(&|output| output.shape.len() == 2 && output.element == Element::Int64).ok_or_else(unlike)?;
    let scores = find(&|output| output.shape.len() == 2 && output.element != Element::Int64).ok_or_else(unlike)?;
    let boxes = find(&|output| output.shape.len() == 3 && size(output, 2) == Some(4)).ok_or_else(unlike)?;
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "a second input takes the picture's size",
        output: vec![
            Setting::known("sizes", sizes.name.as_str()),
            Setting::known("labels", labels.name.as_str()),
            Setting::assumed("boxes", boxes.name.as_str(), "corners in pixels of the size that is given in"),
            Setting::known("scores", scores.name.as_str()),
        ],
        left_out: None,
        habit: habits::RT_DETR,
    })
}
