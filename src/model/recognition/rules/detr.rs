//! DETR and its successors: a set of queries, each with a box and logits.

use super::ssd::{MANY, boxes_and_scores};
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let wanted = "logits [1,N,C] and boxes [1,N,4]";
    subject.only_picture_goes_in()?;
    let unlike = || format!("needs two outputs, {wanted}; this one has {}", subject.outputs());
    let [first, second] = &subject.facts.outputs[..] else { return Err(unlike()) };
    let (boxes, logits) = boxes_and_scores(first, second).ok_or_else(unlike)?;
    let queries = size(boxes, 1);
    if queries != size(logits, 1) {
        return Err("needs as many boxes as rows of logits".to_owned());
    }
    if queries.is_some_and(|queries| queries > MANY) {
        return Err(format!("needs at most {MANY} queries; this one has {}", subject.outputs()));
    }
    let are_named = logits.name.contains("logits");
    if !are_named && ends_with(logits, &["Sigmoid", "Softmax"]) {
        return Err(format!("needs logits, and `{}` are scores already", logits.name));
    }
    let columns = size(logits, 2).ok_or_else(|| format!("needs a fixed number of classes in `{}`", logits.name))?;
    Ok(Match {
        certainty: if are_named || subject.attends() { Certainty::Sure } else { Certainty::Possible },
        choose_if: "boxes are centre and size in ratios of the picture, scores are logits",
        output: vec![
            Setting::known("logits", logits.name.as_str()),
            Setting::known("boxes", boxes.name.as_str()),
            activation(subject, columns)?,
        ],
        habit: habits::DETR,
    })
}

/// The first DETR has a softmax with a last column for "no object"; its successors have a sigmoid per class.
fn activation(subject: &Subject<'_>, columns: u64) -> Result<Setting, String> {
    let key = "activation";
    match subject.classes {
        Some(labels) if labels == columns => Ok(Setting::noted(key, "sigmoid", "one column per label")),
        Some(labels) if labels + 1 == columns => Ok(Setting::noted(key, "softmax", "one more column than labels")),
        Some(labels) => Err(format!("has {columns} columns of logits, and there are {labels} labels")),
        None if columns == 92 => Ok(Setting::assumed(key, "softmax", "92 columns are COCO's 91 and \"no object\"")),
        None => Ok(Setting::assumed(key, "sigmoid", "usual for DETR's successors; give the labels to be sure")),
    }
}
