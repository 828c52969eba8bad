//! Exports of the raw heads of families, and forms of known families with other axes.

use super::form::{UnreadForm, has_outputs, only_output};
use crate::model::model_facts::TensorFact;
use crate::model::recognition::rules::usual_sizes::STRIDES;
use crate::model::recognition::subject::{Subject, ends_with, size};

/// Distances of NanoDet-Plus: four sides of eight bins.
const PLUS_DISTANCES: u64 = 32;

/// More columns than this after a softmax are the characters of a text.
const CHARACTERS: u64 = 90;

pub(super) const FORMS: [UnreadForm; 6] = [
    UnreadForm {
        what: "a YOLOv4 export (`boxes` [1,N,1,4] and `confs`)",
        instead: "",
        is: |subject| {
            let boxes = subject.facts.output("boxes");
            boxes.is_some_and(|boxes| boxes.shape.len() == 4) && has_outputs(subject.facts, &["confs"])
        },
    },
    UnreadForm {
        what: "a YOLOv2, v3 or v4 export whose boxes are offsets from anchors",
        instead: "",
        is: |subject| {
            let outputs = &subject.facts.outputs;
            (2..=4).contains(&outputs.len())
                && (outputs.iter().all(is_anchored_map)
                    || outputs.iter().all(|output| output.shape.len() == 5 && has_three_anchors(output)))
        },
    },
    UnreadForm {
        what: "an RTMDet export of its raw heads",
        instead: "",
        is: |subject| {
            let outputs = &subject.facts.outputs;
            let maps_of = |channels: u64| {
                outputs.iter().filter(|output| output.shape.len() == 4 && size(output, 1) == Some(channels)).count()
            };
            outputs.len() == 6 && maps_of(4) == 3
        },
    },
    UnreadForm {
        what: "a NanoDet-Plus export with scores and distances in one output",
        instead: "",
        is: |subject| {
            let Some(output) = only_output(subject.facts, 3) else { return false };
            let columns = size(output, 2).unwrap_or(0);
            let is_grid = size(output, 1).is_some() && size(output, 1) == subject.cells(&[8, 16, 32, 64]);
            let of_labels = subject.classes.is_none_or(|labels| labels + PLUS_DISTANCES == columns);
            // Its first columns are scores after a sigmoid; those of a YOLO are boxes.
            is_grid && columns > PLUS_DISTANCES && of_labels && ends_with(output, &["Sigmoid"])
        },
    },
    UnreadForm {
        // PaddleDetection's `exclude_post_process` gives corners where the other has centres; only names tell them apart.
        what: "a YOLOv8 export with its axes exchanged, or a PP-YOLOE without its post-processing ([1,N,4+C])",
        instead: "a YOLOv8 is read with the axes of the original, [1,4+C,N]",
        is: |subject| {
            let Some(output) = only_output(subject.facts, 3) else { return false };
            let is_grid = size(output, 1).is_some() && size(output, 1) == subject.cells(&STRIDES);
            let columns = size(output, 2);
            match subject.classes {
                Some(labels) => is_grid && columns == Some(4 + labels),
                None => is_grid && columns == Some(84),
            }
        },
    },
    UnreadForm {
        what: "a reader of text (CTC: a score per character and place)",
        instead: "",
        is: |subject| {
            let Some(output) = only_output(subject.facts, 3) else { return false };
            is_low(subject) && ends_with(output, &["Softmax"]) && size(output, 2).is_some_and(|it| it > CHARACTERS)
        },
    },
];

/// A feature map with three anchors of at least a box, an objectness and a class, as `[1,255,13,13]`.
fn is_anchored_map(output: &TensorFact) -> bool {
    let holds_anchors = |channels: Option<u64>| channels.is_some_and(|it| it >= 18 && it.is_multiple_of(3));
    let is_square = |a: usize, b: usize| size(output, a) == size(output, b);
    output.shape.len() == 4
        && ((holds_anchors(size(output, 1)) && is_square(2, 3)) || (holds_anchors(size(output, 3)) && is_square(1, 2)))
}

/// An axis of three anchors before one of at least a box, an objectness and a class, as `[1,13,13,3,85]`.
fn has_three_anchors(output: &TensorFact) -> bool {
    [1, 3].iter().any(|axis| size(output, *axis) == Some(3)) && size(output, 4).is_some_and(|columns| columns > 5)
}

/// Lines of text are scaled to a height of 32 or 48 pixels.
fn is_low(subject: &Subject<'_>) -> bool {
    subject.picture.height.is_none_or(|height| height <= 64)
}
