//! What a model computes for made-up pictures, compared with what its layout means: a layout whose shapes fit by chance
//! would otherwise detect nothing, or something everywhere.
//!
//! Only what no picture can explain is a doubt: pixels where ratios belong, logits where probabilities belong, sizes
//! beyond all bounds, classes without a label. Everything here is pure.

mod pictures;
mod values;

pub(super) use pictures::pictures;

use crate::model::output_layout::{Activation, OutputLayout};
use crate::unit::tensor_decoders::Tensor;
use values::{Column, Values};

/// The largest ratio of a box that reaches out of the picture.
const MOST_RATIO: f32 = 4.0;

/// Larger exponents are no logarithm of a size in cells.
const MOST_LOGARITHM: f32 = 16.0;

/// What is wrong with the output for one picture, and what would fit. `labels` is the number of labels, `size` the
/// input's in pixels.
pub(super) fn doubt(layout: &OutputLayout, tensors: &[Tensor<'_>], size: (u32, u32), labels: usize) -> Option<String> {
    if tensors.iter().any(|tensor| tensor.values.iter().any(|value| !value.is_finite())) {
        return Some("it has values that are not finite".to_owned());
    }
    let width = size.0 as f32;
    let columns = tensors.first()?.shape.last().and_then(|last| usize::try_from(*last).ok())?.max(1);
    let column = |at: usize| Column { values: tensors[0].values, step: columns, at };
    match (layout, tensors) {
        (OutputLayout::Ssd { .. }, [boxes, scores]) => not_ratios(boxes.values, "; try --layout pixel_boxes")
            .or_else(|| not_probabilities(scores.values))
            .or_else(|| all_equal(scores.values)),
        (OutputLayout::PixelBoxes { .. }, [boxes, scores]) => not_pixels(boxes.values, "; try --layout ssd")
            .or_else(|| not_probabilities(scores.values))
            .or_else(|| all_equal(scores.values)),
        (OutputLayout::SsdAnchors { .. }, [_, anchors, scores]) => {
            not_ratios(anchors.values, "").or_else(|| not_probabilities(scores.values))
        }
        (OutputLayout::SsdNms { .. }, [boxes, scores, classes, _]) => not_ratios(boxes.values, "")
            .or_else(|| not_probabilities(scores.values))
            .or_else(|| not_classes(classes.values, scores.values, 1, labels)),
        (OutputLayout::YoloxGrid { .. }, [_]) => not_logarithms([column(2), column(3)])
            .or_else(|| not_probabilities(column(4)))
            .or_else(|| all_equal(column(4))),
        (OutputLayout::Yolov5 { .. }, [_]) => not_spread(column(0), width, "; try --layout yolox_grid")
            .or_else(|| not_probabilities(column(4)))
            .or_else(|| not_probabilities(column(5))),
        (OutputLayout::Yolov8 { classes, .. }, [output]) => {
            let (boxes, scores) = output.values.split_at(output.values.len().min(4 * columns));
            let scores = &scores[..scores.len().min(classes.unwrap_or(usize::MAX).saturating_mul(columns))];
            not_spread(&boxes[..boxes.len().min(columns)], width, "")
                .or_else(|| not_probabilities(scores))
                .or_else(|| all_equal(scores))
        }
        (OutputLayout::EndToEnd { .. }, [_]) => not_pixels(column(2), "")
            .or_else(|| not_probabilities(column(4)))
            .or_else(|| not_classes(column(5), column(4), 0, labels)),
        (OutputLayout::EndToEndRows { .. }, [_]) => not_pixels(column(3), "")
            .or_else(|| not_probabilities(column(6)))
            .or_else(|| not_classes(column(5), column(6), 0, labels)),
        (OutputLayout::Detr { activation, .. }, [logits, boxes]) => {
            not_ratios(boxes.values, "").or_else(|| not_logits(logits.values, *activation))
        }
        (OutputLayout::RtDetr { .. }, [classes, boxes, scores]) => not_pixels(boxes.values, "")
            .or_else(|| not_probabilities(scores.values))
            .or_else(|| not_classes(classes.values, scores.values, 0, labels)),
        (OutputLayout::NanoDet { strides, .. }, tensors) => {
            let scores = &tensors[..strides.len().min(tensors.len())];
            // One stride may well see nothing, but not each of them.
            let equal = || scores.iter().map(|scores| all_equal(scores.values)).collect::<Option<Vec<_>>>();
            let doubt = scores.iter().find_map(|scores| not_probabilities(scores.values));
            doubt.or_else(|| equal().and_then(|doubts| doubts.into_iter().next()))
        }
        (OutputLayout::Classifier { activation: Activation::None, .. }, [scores]) => {
            let cure = "; correct `activation`";
            not_probabilities(scores.values).map(|why| why + cure)
        }
        _ => None,
    }
}

/// Pixels where ratios belong.
fn not_ratios<'a>(boxes: impl Into<Values<'a>>, cure: &str) -> Option<String> {
    let boxes = boxes.into();
    let set = boxes.iter().filter(|value| *value != 0.0).count();
    let beyond = boxes.iter().filter(|value| value.abs() > MOST_RATIO).count();
    let (_, most) = boxes.range()?;
    (4 * beyond > set).then(|| format!("its boxes go up to {most}, and are no ratios of the picture{cure}"))
}

/// Ratios where pixels belong.
fn not_pixels<'a>(boxes: impl Into<Values<'a>>, cure: &str) -> Option<String> {
    let (least, most) = boxes.into().range()?;
    let is_small = most.max(-least) <= MOST_RATIO / 2.0 && most > 0.0;
    is_small.then(|| format!("its boxes go up to {most} only, and are no pixels of the input{cure}"))
}

/// The centres of a decoded grid, one for each of its cells, that do not reach over the picture.
fn not_spread<'a>(centres: impl Into<Values<'a>>, width: f32, cure: &str) -> Option<String> {
    let (_, most) = centres.into().range()?;
    let why = || format!("the centres of its boxes go up to {most} of {width} pixels only{cure}");
    (most < width / 4.0).then(why)
}

fn not_probabilities<'a>(scores: impl Into<Values<'a>>) -> Option<String> {
    let (least, most) = scores.into().range()?;
    let is_outside = least < -0.01 || most > 1.01;
    is_outside.then(|| format!("its scores go from {least} to {most}, and are no probabilities"))
}

fn not_logits(logits: &[f32], activation: Activation) -> Option<String> {
    let (least, most) = Values::from(logits).range()?;
    let are_probabilities = activation == Activation::Sigmoid && least >= 0.0 && most <= 1.0;
    let why = "its logits are all between 0 and 1: they are probabilities already; if its boxes are corners, try --layout ssd";
    are_probabilities.then(|| why.to_owned()).or_else(|| all_equal(logits))
}

/// All zero is what a quantised detector says of a picture without an object.
fn all_equal<'a>(scores: impl Into<Values<'a>>) -> Option<String> {
    let scores = scores.into();
    let (least, most) = scores.range()?;
    let is_equal = least == most && least != 0.0 && scores.iter().nth(1).is_some();
    is_equal.then(|| format!("all its scores are {least}: the export is broken, or the scores are another tensor"))
}

fn not_logarithms(sizes: [Column<'_>; 2]) -> Option<String> {
    let most = sizes.into_iter().filter_map(|column| Values::from(column).range()).map(|(_, most)| most);
    let most = most.fold(f32::MIN, f32::max);
    let why =
        || format!("its sizes go up to {most}, and are no logarithms: the boxes are decoded; try --layout yolov5");
    (most > MOST_LOGARITHM).then(why)
}

/// Classes of rows with a score that are no whole numbers, or have no label. They are counted from `first`.
fn not_classes<'a>(
    classes: impl Into<Values<'a>>,
    scores: impl Into<Values<'a>>,
    first: u8,
    labels: usize,
) -> Option<String> {
    let (classes, scores) = (classes.into(), scores.into());
    let mut of_rows = classes.iter().zip(scores.iter()).filter(|(_, score)| *score > 0.0).map(|(class, _)| class);
    of_rows.find_map(|class| {
        if (class - class.round()).abs() > 0.01 || class < 0.0 {
            return Some(format!("a class is {class}, and no whole number: the columns have another order"));
        }
        if class < f32::from(first) {
            return Some(format!("it has a class {class}, and this layout counts classes from {first}"));
        }
        let why = || format!("it has a class {class}, and there are {labels} labels, counted from {first}");
        (class >= labels as f32 + f32::from(first)).then(why)
    })
}

#[cfg(test)]
mod tests;
