//! SSD with anchors decoded in the graph, and others that return corners and scores of many candidates.

use super::usual_sizes::{MANY, STRIDES};
use crate::model::model_facts::TensorFact;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let wanted = "boxes [1,N,4] and scores [1,N,C]";
    subject.only_picture_goes_in()?;
    let [first, second] = &subject.facts.outputs[..] else {
        return Err(format!("needs two outputs, {wanted}"));
    };
    let (boxes, scores) = boxes_and_scores(first, second).ok_or_else(|| format!("needs {wanted}"))?;
    let candidates = size(boxes, 1);
    if candidates != size(scores, 1) {
        return Err("needs as many boxes as rows of scores".to_owned());
    }
    if !subject.is_chosen {
        speaks_for_another(subject, scores, candidates)?;
    }
    let classes = size(scores, 2).ok_or_else(|| format!("needs a fixed number of classes in `{}`", scores.name))?;
    let background = background(subject, scores, classes)?;
    let is_many = candidates.is_some_and(|count| count > MANY);
    Ok(Match {
        certainty: if is_many { Certainty::Sure } else { Certainty::Possible },
        choose_if: "boxes are corners in ratios of the picture, scores are between 0 and 1",
        output: vec![
            Setting::assumed("boxes", boxes.name.as_str(), "corners in ratios of the input; pixels are `pixel_boxes`"),
            Setting::assumed("scores", scores.name.as_str(), "between 0 and 1"),
            corners(subject),
            background,
        ],
        left_out: None,
        habit: habits::SSD,
    })
}

/// Fails if something other than the shapes says that the layout is another one.
fn speaks_for_another(subject: &Subject<'_>, scores: &TensorFact, candidates: Option<u64>) -> Result<(), String> {
    if scores.name.contains("logits") {
        return Err(format!("needs scores, and `{}` are logits", scores.name));
    }
    if subject.is_rf_detr() {
        return Err("needs corners; `dets` and `labels` are RF-DETR's".to_owned());
    }
    if candidates.is_some_and(|count| count <= MANY) && subject.attends() {
        return Err("needs corners, but a transformer returns centres: see detr".to_owned());
    }
    // An SSD has several boxes per cell.
    if candidates.is_some() && candidates == subject.cells(&STRIDES) {
        return Err("needs ratios; one box per cell means pixels: see pixel_boxes".to_owned());
    }
    Ok(())
}

/// Tells boxes from scores by the last axis, or by the names if both have four columns.
pub(super) fn boxes_and_scores<'a>(
    first: &'a TensorFact,
    second: &'a TensorFact,
) -> Option<(&'a TensorFact, &'a TensorFact)> {
    if first.shape.len() != 3 || second.shape.len() != 3 {
        return None;
    }
    match (size(first, 2), size(second, 2)) {
        (Some(4), Some(4)) if second.name.contains("box") => Some((second, first)),
        (Some(4), Some(4)) if first.name.contains("box") => Some((first, second)),
        (Some(4), Some(4)) => None,
        (Some(4), _) => Some((first, second)),
        (_, Some(4)) => Some((second, first)),
        _ => None,
    }
}

/// Whether column 0 of the scores is the background.
pub(super) fn background(subject: &Subject<'_>, scores: &TensorFact, columns: u64) -> Result<Setting, String> {
    let key = "background";
    match subject.classes {
        Some(labels) if labels == columns => return Ok(Setting::known(key, false)),
        Some(labels) if labels + 1 == columns => {
            return Ok(Setting::assumed(key, true, "one more column of scores than labels: the first"));
        }
        Some(labels) => return Err(format!("has {columns} columns of scores, and there are {labels} labels")),
        None => {}
    }
    if ends_with(scores, &["Sigmoid"]) {
        return Ok(Setting::assumed(key, false, "each class has a sigmoid of its own"));
    }
    if ends_with(scores, &["Softmax"]) {
        return Ok(Setting::assumed(key, true, "a softmax over all columns needs one for the background"));
    }
    // VOC's 20 and COCO's 80 or 90 classes, and the background.
    let usual = [21, 81, 91];
    match usual.contains(&columns) {
        true => Ok(Setting::assumed(key, true, format!("{columns} is one more than the classes of a usual data set"))),
        false => Ok(Setting::assumed(key, false, "give the labels to be sure")),
    }
}

fn corners(subject: &Subject<'_>) -> Setting {
    let key = "corners";
    if subject.notes("ymin,xmin") || subject.notes("yxyx") {
        return Setting::noted(key, "yxyx", "from the file's metadata");
    }
    if subject.notes("xyxy") {
        return Setting::noted(key, "xyxy", "from the file's metadata");
    }
    match subject.facts.producer.starts_with("tf") {
        true => Setting::assumed(key, "yxyx", "usual for TensorFlow"),
        false => Setting::assumed(key, "xyxy", "usual for all but TensorFlow"),
    }
}
