//! DETR and its successors: a set of queries, each with a box and logits.

use super::ssd::boxes_and_scores;
use super::usual_sizes::MANY;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    let wanted = "logits [1,N,C] and boxes [1,N,4]";
    subject.only_picture_goes_in()?;
    let unlike = || format!("needs two outputs, {wanted}");
    let [first, second] = &subject.facts.outputs[..] else { return Err(unlike()) };
    let (boxes, logits) = boxes_and_scores(first, second).ok_or_else(unlike)?;
    let queries = size(boxes, 1);
    if queries != size(logits, 1) {
        return Err("needs as many boxes as rows of logits".to_owned());
    }
    if queries.is_some_and(|queries| queries > MANY) && !subject.is_chosen {
        return Err(format!("needs at most {MANY} queries"));
    }
    let is_rf_detr = subject.is_rf_detr();
    let are_named = logits.name.contains("logits") || is_rf_detr;
    if !are_named && !subject.is_chosen && ends_with(logits, &["Sigmoid", "Softmax"]) {
        return Err(format!("needs logits, and `{}` are scores already", logits.name));
    }
    Ok(Match {
        certainty: if are_named || subject.attends() { Certainty::Sure } else { Certainty::Possible },
        choose_if: "boxes are centre and size in ratios of the picture, scores are logits",
        output: vec![
            Setting::known("logits", logits.name.as_str()),
            Setting::assumed("boxes", boxes.name.as_str(), "centre and size, in ratios of the input"),
            activation(subject, size(logits, 2), is_rf_detr)?,
        ],
        left_out: None,
        // RT-DETR and D-FINE choose their queries among all places, and were trained without ImageNet's statistics.
        habit: if !is_rf_detr && subject.facts.uses("TopK") > 0 { habits::RT_DETR } else { habits::DETR },
    })
}

/// The first DETR has a softmax with a last column for "no object"; its successors have a sigmoid per class.
fn activation(subject: &Subject<'_>, columns: Option<u64>, is_rf_detr: bool) -> Result<Setting, String> {
    let key = "activation";
    match (subject.classes, columns) {
        (Some(labels), Some(columns)) if labels == columns => {
            Ok(Setting::noted(key, "sigmoid", "one column per label"))
        }
        (Some(labels), Some(columns)) if labels + 1 == columns && !is_rf_detr => {
            let why = "one more column than labels: the last is \"no object\", as in the first DETR";
            Ok(Setting::assumed(key, "softmax", why))
        }
        (Some(labels), Some(columns)) => Err(format!("has {columns} columns of logits, and there are {labels} labels")),
        (None, Some(92)) => Ok(Setting::assumed(key, "softmax", "92 columns are COCO's 91 and \"no object\"")),
        _ => Ok(Setting::assumed(key, "sigmoid", "usual for DETR's successors; \"softmax\" for the first DETR")),
    }
}
