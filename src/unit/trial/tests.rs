//! Outputs as families compute them pass their own layout, and each other one names what is wrong.

use super::*;
use crate::model::output_layout::Corners;

fn ssd() -> OutputLayout {
    OutputLayout::Ssd { boxes: "b".into(), scores: "s".into(), corners: Corners::Xyxy, background: false }
}

fn pixel_boxes() -> OutputLayout {
    OutputLayout::PixelBoxes { boxes: "b".into(), scores: "s".into() }
}

fn yolov5() -> OutputLayout {
    OutputLayout::Yolov5 { output: "o".into() }
}

fn yolox_grid() -> OutputLayout {
    OutputLayout::YoloxGrid { output: "o".into(), strides: vec![8] }
}

fn yolov8(classes: usize) -> OutputLayout {
    OutputLayout::Yolov8 { output: "o".into(), classes: Some(classes) }
}

fn end_to_end() -> OutputLayout {
    OutputLayout::EndToEnd { output: "o".into() }
}

fn detr(activation: Activation) -> OutputLayout {
    OutputLayout::Detr { logits: "l".into(), boxes: "b".into(), activation }
}

/// The doubt about tensors for an input of 640 x 640 and two labels, with the first words that are expected; an empty text
/// for none.
fn check(layout: &OutputLayout, tensors: &[(&[i64], &[f32])], expected: &str) {
    let tensors: Vec<Tensor<'_>> = tensors.iter().map(|(shape, values)| Tensor { shape, values }).collect();
    let found = doubt(layout, &tensors, (640, 640), 2).unwrap_or_default();
    assert!(found.is_empty() == expected.is_empty() && found.contains(expected), "{layout:?}: {found}");
}

const BOXES: &[i64] = &[1, 2, 4];
const SCORES: &[i64] = &[1, 2, 2];
const PIXELS: [f32; 8] = [10.0, 20.0, 300.0, 400.0, 8.0, 8.0, 600.0, 630.0];
const RATIOS: [f32; 8] = [-0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 1.2, 0.9];
const PROBABILITIES: [f32; 4] = [0.1, 0.9, 0.0, 0.3];
const LOGITS: [f32; 4] = [-4.0, 3.0, -7.0, -6.0];

#[test]
fn pixels_and_ratios_are_told_apart_both_ways() {
    check(&ssd(), &[(BOXES, &RATIOS), (SCORES, &PROBABILITIES)], "");
    check(
        &ssd(),
        &[(BOXES, &PIXELS), (SCORES, &PROBABILITIES)],
        "up to 630, and are no ratios of the picture; try --layout pixel_boxes",
    );
    check(&pixel_boxes(), &[(BOXES, &PIXELS), (SCORES, &PROBABILITIES)], "");
    check(&pixel_boxes(), &[(BOXES, &RATIOS), (SCORES, &PROBABILITIES)], "no pixels of the input; try --layout ssd");
    check(&detr(Activation::Sigmoid), &[(SCORES, &LOGITS), (BOXES, &RATIOS)], "");
    check(&detr(Activation::Sigmoid), &[(SCORES, &LOGITS), (BOXES, &PIXELS)], "no ratios");
}

#[test]
fn scores_are_probabilities_where_they_must_be_and_not_all_the_same() {
    check(&ssd(), &[(BOXES, &RATIOS), (SCORES, &LOGITS)], "go from -7 to 3, and are no probabilities");
    check(&ssd(), &[(BOXES, &RATIOS), (SCORES, &[0.5; 4])], "all its scores are 0.5");
    check(&ssd(), &[(BOXES, &RATIOS), (SCORES, &[0.0; 4])], "");
    check(&detr(Activation::Sigmoid), &[(SCORES, &PROBABILITIES), (BOXES, &RATIOS)], "probabilities already");
    check(&detr(Activation::Softmax), &[(SCORES, &PROBABILITIES), (BOXES, &RATIOS)], "");
    let classifier = |activation| OutputLayout::Classifier { output: "o".into(), activation };
    check(&classifier(Activation::Softmax), &[(&[1, 4], &LOGITS)], "");
    check(&classifier(Activation::None), &[(&[1, 4], &LOGITS)], "correct `activation`");
}

#[test]
fn decoded_grids_and_others_are_told_apart_both_ways() {
    let decoded = [20.0, 20.0, 90.0, 40.0, 0.9, 0.1, 0.2, 600.0, 20.0, 320.0, 40.0, 0.1, 0.1, 0.2];
    let raw = [0.4, 0.5, 1.5, -0.4, 0.9, 0.1, 0.2, 0.1, 0.2, 3.0, 0.4, 0.1, 0.1, 0.2];
    let shape: &[i64] = &[1, 2, 7];
    check(&yolov5(), &[(shape, &decoded)], "");
    check(&yolov5(), &[(shape, &raw)], "up to 0.4 of 640 pixels only; try --layout yolox_grid");
    check(&yolox_grid(), &[(shape, &raw)], "");
    check(
        &yolox_grid(),
        &[(shape, &decoded)],
        "up to 320, and are no logarithms: the boxes are decoded; try --layout yolov5",
    );
    // Two places with a box, one class, and a row that is not read.
    let columns = |scale: f32| [20.0 * scale, 600.0 * scale, 20.0, 20.0, 9.0, 9.0, 9.0, 9.0, 0.1, 0.2, 50.0, 50.0];
    check(&yolov8(1), &[(&[1, 6, 2], &columns(1.0))], "");
    check(&yolov8(1), &[(&[1, 6, 2], &columns(0.001))], "of 640 pixels only");
    check(&yolov8(2), &[(&[1, 6, 2], &columns(1.0))], "no probabilities");
}

#[test]
fn finished_detections_have_whole_classes_with_labels() {
    let rows = |class: f32, score: f32| [8.0, 8.0, 90.0, 90.0, score, class, 0.0, 0.0, 0.0, 0.0, 0.0, 77.5];
    let shape: &[i64] = &[1, 2, 6];
    check(&end_to_end(), &[(shape, &rows(1.0, 0.5))], "");
    check(&end_to_end(), &[(shape, &rows(2.0, 0.5))], "a class 2, and there are 2 labels");
    check(&end_to_end(), &[(shape, &rows(0.93, 0.5))], "another order");
    check(&end_to_end(), &[(shape, &rows(0.93, 1.5))], "no probabilities");
    check(&end_to_end(), &[(shape, &[0.0; 12])], "");
    let rows = OutputLayout::EndToEndRows { output: "o".into() };
    check(&rows, &[(&[1, 7], &[0.0, 8.0, 8.0, 90.0, 90.0, 1.0, 0.5])], "");
    check(&rows, &[(&[1, 7], &[0.0, 8.0, 8.0, 90.0, 90.0, 0.5, 1.0])], "another order");
    check(&rows, &[(&[0, 7], &[])], "");
}

#[test]
fn rows_of_ssd_with_suppression_count_classes_from_one() {
    let layout = OutputLayout::SsdNms { boxes: "b".into(), scores: "s".into(), classes: "c".into(), count: "n".into() };
    let shape: &[i64] = &[1, 2];
    let judge = |classes: &[f32], expected| {
        check(&layout, &[(BOXES, &RATIOS), (shape, &[0.9, 0.4]), (shape, classes), (&[1], &[2.0])], expected);
    };
    judge(&[1.0, 2.0], "");
    judge(&[0.0, 1.0], "a class 0, and this layout counts classes from 1");
    judge(&[1.0, 3.0], "a class 3, and there are 2 labels, counted from 1");
}

#[test]
fn what_is_not_finite_is_a_doubt_in_every_tensor() {
    for value in [f32::NAN, f32::INFINITY] {
        check(&ssd(), &[(BOXES, &RATIOS), (SCORES, &[0.1, 0.2, 0.3, value])], "not finite");
        check(&ssd(), &[(BOXES, &[value; 8]), (SCORES, &PROBABILITIES)], "not finite");
    }
}
