//! Exports with NMS or other post-processing in the graph, whose rows no layout reads.

use super::form::{UnreadForm, has_outputs, only_output};
use crate::model::model_facts::Element;
use crate::model::recognition::rules::usual_sizes::{MANY, STRIDES};
use crate::model::recognition::subject::{Subject, size};

pub(super) const FORMS: [UnreadForm; 10] = [
    UnreadForm {
        what: "a graph for TensorRT, with an NMS that ONNX Runtime does not have",
        instead: "export it for ONNX Runtime, without NMS",
        is: |subject| subject.facts.operators.keys().any(|operator| operator.ends_with("_TRT")),
    },
    UnreadForm {
        what: "a PaddleDetection export with its post-processing (PP-YOLOE, PicoDet, ...)",
        instead: "a PicoDet is read when it is exported with `-o export.benchmark=True`",
        is: |subject| subject.further_inputs().any(|input| ["scale_factor", "im_shape"].contains(&input.name.as_str())),
    },
    UnreadForm {
        what: "a YOLO-NAS export with NMS",
        instead: "export it with `postprocessing=False`",
        is: |subject| {
            let ends = |end: &str| subject.facts.outputs.iter().any(|output| output.name.ends_with(end));
            ends("flat_predictions") || (ends("num_predictions") && ends("pred_boxes"))
        },
    },
    UnreadForm {
        what: "a YOLO or MMYOLO export with NMS in four outputs (`num_dets`, ...)",
        instead: "export it without NMS",
        is: |subject| subject.facts.outputs.len() == 4 && has_outputs(subject.facts, &["num_dets"]),
    },
    UnreadForm {
        what: "an MMDeploy export with NMS (RTMDet and others of MMDetection)",
        instead: "",
        is: |subject| {
            let dets = subject.facts.output("dets");
            dets.is_some_and(|dets| dets.shape.len() == 3 && size(dets, 2) == Some(5))
                && has_outputs(subject.facts, &["labels"])
        },
    },
    UnreadForm {
        what: "a torchvision detector (`boxes`, `labels` and `scores` without a batch)",
        instead: "",
        is: |subject| {
            let axes = |name| subject.facts.output(name).map(|output| output.shape.len());
            let is_of_one = axes("scores") == Some(1) && axes("labels") == Some(1);
            is_of_one && axes("boxes") == Some(2)
        },
    },
    UnreadForm {
        what: "an Ultralytics RT-DETR export",
        instead: "export the same model from its own repository or from Hugging Face",
        is: |subject| {
            let columns = subject.classes.map(|classes| 4 + classes);
            let is_it = subject.is_ultralytics() && subject.task() == Some("detect");
            is_it && columns.is_some() && columns != Some(6) && few_rows(subject) == columns
        },
    },
    UnreadForm {
        what: "an EfficientDet export",
        instead: "",
        is: |subject| {
            let Some(output) = only_output(subject.facts, 3) else { return false };
            let rows = size(output, 1);
            // A YOLO of two classes and a small input has as few rows, of which the grids know the number.
            let is_grid =
                [1, 3].iter().any(|each| rows.is_some() && rows == subject.cells(&STRIDES).map(|it| it * each));
            let is_other = is_grid || subject.is_ultralytics();
            size(output, 2) == Some(7) && rows.is_some_and(|rows| rows <= MANY) && !is_other
        },
    },
    UnreadForm {
        what: "an Ultralytics export with NMS of a model for masks, key points or rotated boxes",
        instead: "export it with `nms=False`; the boxes of masks and key points are then read",
        is: |subject| {
            let is_more = matches!(subject.task(), Some("segment" | "pose" | "obb"));
            is_more && few_rows(subject).is_some_and(|columns| columns > 6)
        },
    },
    UnreadForm {
        what: "a YOLOv3 export with NMS and the picture's size as an input",
        instead: "",
        is: |subject| {
            let size_of_picture = |name: &str, element| name == "image_shape" && element == Element::Float32;
            subject.further_inputs().any(|input| size_of_picture(&input.name, input.element))
        },
    },
];

/// The columns of the first output with three axes, if it has as few rows as finished detections.
fn few_rows(subject: &Subject<'_>) -> Option<u64> {
    let output = subject.facts.outputs.iter().find(|output| output.shape.len() == 3)?;
    size(output, 1).filter(|rows| *rows >= 100 && *rows <= MANY)?;
    size(output, 2).filter(|columns| Some(*columns) != subject.cells(&STRIDES))
}
