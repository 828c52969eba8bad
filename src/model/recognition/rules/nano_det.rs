//! NanoDet and PicoDet: for each stride, an output of scores and one of distance distributions.

use crate::model::model_facts::TensorFact;
use crate::model::recognition::habits;
use crate::model::recognition::layout_match::{Certainty, Match};
use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::{Subject, ends_with, size};

/// The strides in use.
const STRIDES: [u32; 6] = [4, 8, 16, 32, 64, 128];

pub(super) fn rule(subject: &Subject<'_>) -> Result<Match, String> {
    subject.only_picture_goes_in()?;
    let outputs = &subject.facts.outputs;
    let unlike = || "needs scores [1,HW,C], distances [1,HW,4*bins] per stride".to_owned();
    if outputs.len() < 4 || outputs.iter().any(|output| output.shape.len() != 3) {
        return Err(unlike());
    }
    let (mut scores, mut distances, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for stride in STRIDES {
        let cells = subject.cells(&[stride]).ok_or("needs an input of a fixed size")?;
        let of_stride: Vec<&TensorFact> = outputs.iter().filter(|output| size(output, 1) == Some(cells)).collect();
        let [first, second] = of_stride[..] else { continue };
        let (of_classes, of_sides) = if are_scores(subject, first, second) { (first, second) } else { (second, first) };
        scores.push(of_classes);
        distances.push(of_sides);
        strides.push(stride);
    }
    if 2 * strides.len() != outputs.len() {
        return Err("needs two outputs per stride with a row per cell of its grid".to_owned());
    }
    let (classes, bins) = (common_size(&scores).ok_or_else(unlike)?, common_size(&distances).ok_or_else(unlike)?);
    if bins % 4 != 0 || bins < 8 {
        return Err(format!("needs four distance distributions; {bins} values cannot be"));
    }
    subject.check_classes(classes)?;
    let is_pico = strides.contains(&64);
    Ok(Match {
        certainty: Certainty::Sure,
        choose_if: "boxes are distributions of distances from the centres of cells",
        output: vec![
            Setting::known("scores", &names(&scores)[..]),
            Setting::known("distances", &names(&distances)[..]),
            Setting::noted("strides", &strides[..], "each output has one row per cell of its grid"),
            Setting::assumed("center", 0.5, "distances are measured from the middle of a cell"),
        ],
        left_out: None,
        habit: if is_pico { habits::PICO_DET } else { habits::NANO_DET },
    })
}

/// True if `first` has the scores: decided by a sigmoid, by the number of labels, or because distances are a multiple
/// of four. Exporters put the scores first.
fn are_scores(subject: &Subject<'_>, first: &TensorFact, second: &TensorFact) -> bool {
    let has_sigmoid = |output| ends_with(output, &["Sigmoid"]);
    if has_sigmoid(first) != has_sigmoid(second) {
        return has_sigmoid(first);
    }
    let (first, second) = (size(first, 2), size(second, 2));
    if subject.classes.is_some() && (first == subject.classes) != (second == subject.classes) {
        return first == subject.classes;
    }
    second.is_some_and(|columns| columns % 4 == 0)
}

fn common_size(outputs: &[&TensorFact]) -> Option<u64> {
    let first = size(outputs.first()?, 2)?;
    outputs.iter().all(|output| size(output, 2) == Some(first)).then_some(first)
}

fn names<'a>(outputs: &[&'a TensorFact]) -> Vec<&'a str> {
    outputs.iter().map(|output| output.name.as_str()).collect()
}
