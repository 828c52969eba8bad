//! SSD whose graph returns offsets and their anchors.

use super::ssd::background;
use crate::model::model_facts::TensorFact;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, WEIGHTED, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let wanted = "offsets [1,N,4], anchors [1,N,4] and scores [1,N,C]";
    let unlike = || format!("needs {wanted}");
    subject.only_picture_goes_in()?;
    let outputs = &subject.facts.outputs;
    if outputs.len() != 3 || outputs.iter().any(|output| output.shape.len() != 3) {
        return Err(unlike());
    }
    let is_boxes = |output: &&TensorFact| size(output, 2) == Some(4);
    let boxes: Vec<&TensorFact> = outputs.iter().filter(is_boxes).collect();
    let scores = outputs.iter().find(|output| !is_boxes(output)).ok_or_else(unlike)?;
    let [first, second] = boxes[..] else { return Err(unlike()) };
    let (offsets, anchors) = match (are_anchors(first), are_anchors(second)) {
        (true, false) => (second, first),
        (false, true) => (first, second),
        _ => {
            return Err("needs one output of constants, the anchors; none can be told".to_owned());
        }
    };
    if outputs.iter().any(|output| size(output, 1) != size(anchors, 1)) {
        return Err("needs as many offsets, anchors and rows of scores".to_owned());
    }
    let classes = size(scores, 2).ok_or_else(|| format!("needs a fixed number of classes in `{}`", scores.name))?;
    let why = "usual for ST's model zoo; \"centers\" for TensorFlow's own, if boxes have a wrong size";
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "boxes are offsets from anchors, which are an output as well",
        output: vec![
            Setting::known("offsets", offsets.name.as_str()),
            Setting::noted("anchors", anchors.name.as_str(), "no layer with weights leads to it"),
            Setting::known("scores", scores.name.as_str()),
            Setting::assumed("encoding", "corners", why),
            Setting::assumed("corners", "xyxy", "usual for ST's model zoo"),
            background(subject, scores, classes)?,
        ],
        left_out: None,
        habit: habits::ST_SSD,
    })
}

/// True by its name, or if no layer with weights leads to it: it does not depend on the picture.
fn are_anchors(output: &TensorFact) -> bool {
    let name = output.name.to_lowercase();
    let is_named = name.contains("anchor") || name.contains("prior");
    // `nearest` has at most 8 operators; those before them are unknown.
    let is_cut = output.nearest.len() > 7;
    is_named || (!is_cut && !output.nearest.iter().any(|operator| WEIGHTED.contains(&operator.as_str())))
}
