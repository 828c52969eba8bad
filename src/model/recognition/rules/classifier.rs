//! Classifiers: one score per class for the whole picture.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let [output] = &subject.facts.outputs[..] else {
        return Err(format!("needs one output [1,C]; this one has {}", subject.outputs()));
    };
    let classes = match output.shape.len() {
        2 => size(output, 1),
        _ => None,
    };
    let classes = classes.filter(|classes| *classes > 1);
    let classes = classes.ok_or_else(|| format!("needs one output [1,C]; this one is {output}"))?;
    subject.check_classes(classes)?;
    let key = "activation";
    let activation = if ends_with(output, &["Softmax", "Sigmoid"]) {
        Setting::noted(key, "none", "the graph ends with an activation")
    } else {
        Setting::assumed(key, "softmax", "one class per picture; \"sigmoid\" if there can be several")
    };
    let is_yolo = subject.task() == Some("classify");
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "there is one score per class",
        output: vec![Setting::known("output", output.name.as_str()), activation],
        habit: if is_yolo { habits::YOLO_CLASSIFIER } else { habits::CLASSIFIER },
    })
}
