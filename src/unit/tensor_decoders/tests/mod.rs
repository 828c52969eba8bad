//! Every layout with a known answer.

mod whatever_comes;

use super::*;
use crate::model::input_layout::InputLayout;
use crate::model::manifest::Thresholds;
use crate::model::output_layout::{Activation, AnchorEncoding, Corners};
use crate::unit::picture_fit::Placement;
use crate::vision::detection::ClassIndex;
use crate::vision::geometry::NormalizedBox;

/// A tensor's shape and values.
type Given<'a> = (&'a [i64], &'a [f32]);

/// Decodes for an input of 32 x 32 into which the whole picture is stretched.
fn check(layout: &OutputLayout, tensors: &[Given<'_>]) -> Result<Vec<Detection>, TensorError> {
    let tensors: Vec<Tensor<'_>> = tensors.iter().map(|(shape, values)| Tensor { shape, values }).collect();
    let placement = Placement::new(&InputLayout::plain("i", 32, 32), (64, 64), NormalizedBox::WHOLE);
    let thresholds = Thresholds { confidence: 0.5, weak_confidence: None, iou: 0.5, max_detections: 10 };
    decode(layout, &tensors, &Reading { thresholds: &thresholds, placement: &placement })
}

fn ssd(corners: Corners, background: bool) -> OutputLayout {
    OutputLayout::Ssd { boxes: "b".into(), scores: "s".into(), corners, background }
}

fn ssd_anchors(encoding: AnchorEncoding) -> OutputLayout {
    let (offsets, anchors, scores) = ("o".into(), "a".into(), "s".into());
    OutputLayout::SsdAnchors { offsets, anchors, scores, encoding, corners: Corners::Xyxy, background: true }
}

fn ssd_nms() -> OutputLayout {
    OutputLayout::SsdNms { boxes: "b".into(), scores: "s".into(), classes: "c".into(), count: "n".into() }
}

fn yolox_grid() -> OutputLayout {
    OutputLayout::YoloxGrid { output: "o".into(), strides: vec![16, 32] }
}

fn yolov5() -> OutputLayout {
    OutputLayout::Yolov5 { output: "o".into() }
}

fn yolov8(classes: Option<usize>) -> OutputLayout {
    OutputLayout::Yolov8 { output: "o".into(), classes }
}

fn end_to_end() -> OutputLayout {
    OutputLayout::EndToEnd { output: "o".into() }
}

fn end_to_end_rows() -> OutputLayout {
    OutputLayout::EndToEndRows { output: "o".into() }
}

fn pixel_boxes() -> OutputLayout {
    OutputLayout::PixelBoxes { boxes: "b".into(), scores: "s".into() }
}

fn detr(activation: Activation) -> OutputLayout {
    OutputLayout::Detr { logits: "l".into(), boxes: "b".into(), activation }
}

fn rt_detr() -> OutputLayout {
    OutputLayout::RtDetr { sizes: "z".into(), labels: "l".into(), boxes: "b".into(), scores: "s".into() }
}

fn nano_det() -> OutputLayout {
    OutputLayout::NanoDet { scores: vec!["s".into()], distances: vec!["d".into()], strides: vec![16], center: 0.5 }
}

fn fastest_det() -> OutputLayout {
    OutputLayout::FastestDet { output: "o".into() }
}

fn classifier(activation: Activation) -> OutputLayout {
    OutputLayout::Classifier { output: "o".into(), activation }
}

/// One detection of a class, with its confidence and its left, top, right and bottom in ratios.
fn assert_one(found: &Result<Vec<Detection>, TensorError>, class: u16, confidence: f32, corners: [f32; 4]) {
    let [one] = found.as_deref().unwrap() else { panic!("{found:?}") };
    assert_eq!(one.class, ClassIndex(class));
    assert!((one.confidence - confidence).abs() < 1e-4, "{one:?}");
    let place = one.bounding_box.unwrap();
    for (value, expected) in [place.left, place.top, place.right(), place.bottom()].iter().zip(corners) {
        assert!((value - expected).abs() < 1e-4, "{place:?} is not {corners:?}");
    }
}

#[test]
fn ssd_gives_each_class_over_the_threshold_and_suppresses_copies() {
    let boxes = [0.1, 0.2, 0.5, 0.6, 0.1, 0.2, 0.5, 0.61];
    let scores = [0.9, 0.1, 0.7, 0.6];
    let found = check(&ssd(Corners::Yxyx, false), &[(&[1, 2, 4], &boxes), (&[1, 2, 2], &scores)]).unwrap();
    assert_eq!(found.len(), 2, "the second anchor's class 0 is a copy of the first's");
    assert_eq!((found[0].class, found[0].confidence), (ClassIndex(0), 0.9));
    assert_eq!((found[1].class, found[1].confidence), (ClassIndex(1), 0.6));
}

#[test]
fn ssd_knows_both_orders_of_corners_and_leaves_the_background_out() {
    let tensors: [Given<'_>; 2] = [(&[1, 1, 4], &[0.1, 0.2, 0.5, 0.6]), (&[1, 1, 3], &[0.8, 0.1, 0.7])];
    assert_one(&check(&ssd(Corners::Yxyx, true), &tensors), 1, 0.7, [0.2, 0.1, 0.6, 0.5]);
    assert_one(&check(&ssd(Corners::Xyxy, true), &tensors), 1, 0.7, [0.1, 0.2, 0.5, 0.6]);
}

#[test]
fn ssd_anchors_are_moved_by_corners_or_by_centre() {
    let run = |encoding, offsets: &[f32]| {
        let anchors = [0.2, 0.2, 0.4, 0.6];
        check(&ssd_anchors(encoding), &[(&[1, 1, 4], offsets), (&[1, 1, 4], &anchors), (&[1, 1, 2], &[0.9, 0.6])])
    };
    // The anchor is 0.2 wide and 0.4 high.
    assert_one(&run(AnchorEncoding::Corners, &[0.5, 0.5, 0.5, 0.25]), 0, 0.6, [0.3, 0.4, 0.5, 0.7]);
    // The centre (0.3, 0.4) moves by a tenth of 10 sizes each way, the width doubles.
    let offsets = [5.0, 2.5, 5.0 * 2.0_f32.ln(), 0.0];
    assert_one(&run(AnchorEncoding::Centers, &offsets), 0, 0.6, [0.2, 0.3, 0.6, 0.7]);
}

#[test]
fn ssd_nms_reads_as_many_rows_as_the_count_says() {
    let boxes = [0.0, 0.0, 0.5, 0.5].repeat(3);
    let run = |count: f32, class: f32| {
        let tensors: [Given<'_>; 4] =
            [(&[1, 3, 4], &boxes), (&[1, 3], &[0.9, 0.8, 0.7]), (&[1, 3], &[1.0, class, 2.0]), (&[1], &[count])];
        check(&ssd_nms(), &tensors)
    };
    let found = run(2.0, 3.0).unwrap();
    assert_eq!(found.iter().map(|one| one.class.0).collect::<Vec<_>>(), [0, 2]);
    assert!(run(4.0, 3.0).is_err() && run(f32::NAN, 3.0).is_err() && run(-1.0, 3.0).is_err());
    assert!(run(2.0, 0.0).is_err() && run(2.0, f32::NAN).is_err());
}

#[test]
fn yolox_decodes_cell_stride_and_logarithm() {
    // 2 x 2 cells of 16 pixels and one of 32; two classes. The cell at (1, 0) of the first grid sees class 1.
    let mut values = vec![0.0; 5 * 7];
    values[7..14].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.1, 0.8]);
    // Centre (1.5 * 16, 0.5 * 16) = (24, 8), size 16 x 16, of an input of 32 x 32.
    assert_one(&check(&yolox_grid(), &[(&[1, 5, 7], &values)]), 1, 0.72, [0.5, 0.0, 1.0, 0.5]);
}

#[test]
fn yolov5_and_yolov8_give_the_same_box_in_their_own_order() {
    let row = [16.0, 8.0, 16.0, 8.0, 0.9, 0.1, 0.8];
    assert_one(&check(&yolov5(), &[(&[1, 1, 7], &row)]), 1, 0.72, [0.25, 0.125, 0.75, 0.375]);
    // Two places, the second shows class 1; the last row is a mask's coefficient.
    let columns = [0.0, 16.0, 0.0, 8.0, 0.0, 16.0, 0.0, 8.0, 0.1, 0.2, 0.3, 0.72, 0.9, 0.9];
    assert_one(&check(&yolov8(Some(2)), &[(&[1, 7, 2], &columns)]), 1, 0.72, [0.25, 0.125, 0.75, 0.375]);
    assert!(check(&yolov8(Some(4)), &[(&[1, 7, 2], &columns)]).is_err());
}

#[test]
fn with_many_candidates_the_best_is_kept_even_if_it_is_the_last() {
    let (places, classes) = (1_000, 200);
    let boxes = [0.1, 0.2, 0.5, 0.6].repeat(places);
    let mut scores = vec![0.6; places * classes];
    *scores.last_mut().unwrap() = 0.9;
    let shapes: [&[i64]; 2] = [&[1, 1_000, 4], &[1, 1_000, 200]];
    let found = check(&ssd(Corners::Yxyx, false), &[(shapes[0], &boxes), (shapes[1], &scores)]).unwrap();
    let classes: Vec<u16> = found.iter().map(|one| one.class.0).collect();
    // Among equal scores, the earlier one wins.
    assert_eq!(classes, [199, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let logits: Vec<f32> = scores.iter().map(|score| score * 10.0).collect();
    let found = check(&detr(Activation::Sigmoid), &[(shapes[1], &logits), (shapes[0], &boxes)]).unwrap();
    assert_eq!((found.len(), found[0].class.0), (10, 199));
}

#[test]
fn what_needs_no_suppression_keeps_boxes_that_overlap() {
    let rows = [8.0, 8.0, 24.0, 24.0, 0.9, 1.0, 8.0, 8.0, 24.0, 24.0, 0.8, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let found = check(&end_to_end(), &[(&[1, 3, 6], &rows)]).unwrap();
    assert_eq!(found.iter().map(|one| one.confidence).collect::<Vec<_>>(), [0.9, 0.8]);
    let found = check(
        &rt_detr(),
        &[(&[1, 2], &[3.0, 4.0]), (&[1, 2, 4], &[8.0, 8.0, 24.0, 24.0].repeat(2)), (&[1, 2], &[0.4, 0.7])],
    );
    assert_one(&found, 4, 0.7, [0.25, 0.25, 0.75, 0.75]);
}

#[test]
fn corners_in_pixels_are_read_with_scores_or_as_rows_of_the_first_picture() {
    let tensors: [Given<'_>; 2] =
        [(&[1, 2, 4], &[0.0, 0.0, 1.0, 1.0, 8.0, 4.0, 24.0, 12.0]), (&[1, 2, 1], &[0.1, 0.8])];
    assert_one(&check(&pixel_boxes(), &tensors), 0, 0.8, [0.25, 0.125, 0.75, 0.375]);
    let rows = [0.0, 8.0, 4.0, 24.0, 12.0, 2.0, 0.8, 1.0, 0.0, 0.0, 32.0, 32.0, 1.0, 0.9];
    assert_one(&check(&end_to_end_rows(), &[(&[2, 7], &rows)]), 2, 0.8, [0.25, 0.125, 0.75, 0.375]);
    assert_eq!(check(&end_to_end_rows(), &[(&[0, 7], &[])]), Ok(vec![]));
}

#[test]
fn detr_knows_sigmoid_and_softmax_with_no_object_last() {
    let boxes = [0.5, 0.5, 0.5, 0.25];
    let run = |activation, logits: &[f32]| check(&detr(activation), &[(&[1, 1, 3], logits), (&[1, 1, 4], &boxes)]);
    let corners = [0.25, 0.375, 0.75, 0.625];
    assert_one(&run(Activation::Sigmoid, &[-3.0, 1.0, -9.0]), 1, 0.731_06, corners);
    assert_one(&run(Activation::Softmax, &[0.0, 2.0, 0.0]), 1, 0.786_99, corners);
    assert_eq!(run(Activation::Softmax, &[0.0, 0.0, 5.0]), Ok(vec![]), "the last column is no object");
}

#[test]
fn nano_det_takes_the_mean_of_its_distributions() {
    // One stride of 16: 2 x 2 places. The place (1, 1) at (24, 24) sees class 0; two bins a side.
    let scores = [0.1, 0.1, 0.1, 0.8];
    let mut distances = vec![0.0; 4 * 8];
    // left 0.5 of 16 = 8, top 8, right: all in bin 0, bottom: the same.
    distances[24..].copy_from_slice(&[0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 50.0, 0.0]);
    let found = check(&nano_det(), &[(&[1, 4, 1], &scores), (&[1, 4, 8], &distances)]);
    assert_one(&found, 0, 0.8, [0.5, 0.5, 0.75, 0.75]);
}

#[test]
fn fastest_det_takes_the_best_class_of_a_cell() {
    // One row of two cells; the second sees class 1.
    let mut values = vec![0.0; 7 * 2];
    for (channel, value) in [0.9, 0.0, 0.0, 0.0, -40.0, 0.1, 0.8].into_iter().enumerate() {
        values[2 * channel + 1] = value;
    }
    values[2 * 4 + 1] = 0.0;
    let confidence = 0.9_f32.powf(0.6) * 0.8_f32.powf(0.4);
    // The centre is at the cell's corner (0.5, 0), the size half of the input.
    assert_one(&check(&fastest_det(), &[(&[1, 7, 1, 2], &values)]), 1, confidence, [0.25, 0.0, 0.75, 0.25]);
}

#[test]
fn a_classifier_labels_the_whole_picture() {
    let run = |activation, values: &[f32], shape: &[i64]| check(&classifier(activation), &[(shape, values)]).unwrap();
    let classes = |found: Vec<Detection>| found.iter().map(|one| one.class.0).collect::<Vec<_>>();
    let found = run(Activation::None, &[0.1, 0.9], &[1, 2]);
    assert_eq!((found.len(), found[0].bounding_box), (1, None));
    assert_eq!(classes(run(Activation::Softmax, &[5.0, 1.0, 0.0], &[1, 3, 1, 1])), [0]);
    assert_eq!(classes(run(Activation::Sigmoid, &[1.0, -1.0, 2.0], &[1, 3])), [2, 0], "several labels may hold");
}
