//! TensorFlow's Object Detection API with NMS in the graph.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::Subject;

/// Keys of the manifest and the API's tensor names, in the order of the decoder.
const OUTPUTS: [(&str, &str); 4] = [
    ("boxes", "detection_boxes"),
    ("scores", "detection_scores"),
    ("classes", "detection_classes"),
    ("count", "num_detections"),
];

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let mut output = Vec::new();
    for (key, name) in OUTPUTS {
        // TensorFlow's exporters append the output's number, as in `detection_boxes:0`.
        let is_it = |has: &str| has.split(':').next() == Some(name);
        let found = subject.facts.outputs.iter().find(|output| is_it(&output.name));
        let found = found.ok_or_else(|| format!("needs an output named `{name}`; shapes are ambiguous"))?;
        output.push(Setting::known(key, found.name.as_str()));
    }
    let choose_if = "the outputs have the names of TensorFlow's Object Detection API";
    Ok(Match { certainty: Certainty::Sure, choose_if, output, left_out: None, habit: habits::SSD })
}
