//! Classifiers: one score per class for the whole picture.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let [output] = &subject.facts.outputs[..] else {
        return Err("needs one output [1,C]".to_owned());
    };
    let classes = match output.shape.len() {
        2 => size(output, 1),
        _ => None,
    };
    let classes = classes.filter(|classes| *classes > 1);
    let classes = classes.ok_or("needs one output [1,C]")?;
    if subject.facts.uses("NonMaxSuppression") > 0 && !subject.is_chosen {
        return Err("needs scores of the picture, and the graph suppresses boxes".to_owned());
    }
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
        left_out: None,
        habit: if is_yolo { habits::YOLO_CLASSIFIER } else { habits::CLASSIFIER },
    })
}
