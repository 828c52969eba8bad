//! TensorFlow's Object Detection API with non-maximum suppression in the graph.

use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::Subject;

/// Keys of the manifest and the names that the API gives, in the order of the decoder.
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
        // TensorFlow's own exporters leave the number of the output behind the name.
        let is_it = |has: &str| has.split(':').next() == Some(name);
        let found = subject.facts.outputs.iter().find(|output| is_it(&output.name));
        let found = found.ok_or_else(|| {
            format!("needs an output `{name}`, for scores and classes look alike; this one has {}", subject.outputs())
        })?;
        output.push(Setting::known(key, found.name.as_str()));
    }
    let choose_if = "the outputs have the names of TensorFlow's Object Detection API";
    Ok(Match { certainty: Certainty::Sure, choose_if, output, habit: habits::SSD })
}
