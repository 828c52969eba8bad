//! Every layout with a known answer, and with output that no model should give.

use super::*;
use crate::model::manifest::{ColorOrder, Fit};
use proptest::prelude::*;

fn thresholds() -> Thresholds {
    Thresholds { confidence: 0.5, iou: 0.5, max_detections: 10 }
}

fn input(width: u32, height: u32) -> InputLayout {
    let (mean, std) = ([0.0; 3], [1.0; 3]);
    InputLayout { tensor: "i".into(), width, height, color: ColorOrder::Rgb, fit: Fit::Stretch, pad: 0, mean, std }
}

fn check(layout: &OutputLayout, tensors: &[(&[i64], &[f32])]) -> Result<Vec<Detection>, TensorError> {
    let tensors: Vec<Tensor<'_>> = tensors.iter().map(|(shape, values)| Tensor { shape, values }).collect();
    let placement = Placement::new(Fit::Stretch, 64, 64, 32, 32);
    decode(layout, &tensors, &input(32, 32), &thresholds(), &placement)
}

fn ssd() -> OutputLayout {
    OutputLayout::Ssd { boxes: "b".into(), scores: "s".into() }
}

fn ssd_nms() -> OutputLayout {
    OutputLayout::SsdNms { boxes: "b".into(), scores: "s".into(), classes: "c".into(), count: "n".into() }
}

fn yolox() -> OutputLayout {
    OutputLayout::YoloxGrid { output: "o".into(), strides: vec![16, 32] }
}

fn corners(detection: &Detection) -> [f32; 4] {
    let found = detection.bounding_box.unwrap();
    [found.left, found.top, found.right(), found.bottom()]
}

#[test]
fn ssd_gives_each_class_over_the_threshold_and_suppresses_copies() {
    let boxes = [0.1, 0.2, 0.5, 0.6, 0.1, 0.2, 0.5, 0.61];
    let scores = [0.9, 0.1, 0.7, 0.6];
    let found = check(&ssd(), &[(&[1, 2, 4], &boxes), (&[1, 2, 2], &scores)]).unwrap();
    assert_eq!(found.len(), 2, "the second anchor's class 0 is a copy of the first's");
    assert_eq!((found[0].class, found[0].confidence), (ClassIndex(0), 0.9));
    assert_eq!((found[1].class, found[1].confidence), (ClassIndex(1), 0.6));
    for (value, expected) in corners(&found[0]).iter().zip([0.2, 0.1, 0.6, 0.5]) {
        assert!((value - expected).abs() < 1e-5);
    }
}

#[test]
fn ssd_nms_reads_as_many_rows_as_the_count_says() {
    let boxes = [0.0, 0.0, 0.5, 0.5].repeat(3);
    let run = |count: f32| {
        let tensors: [(&[i64], &[f32]); 4] =
            [(&[1, 3, 4], &boxes), (&[1, 3], &[0.9, 0.8, 0.7]), (&[1, 3], &[1.0, 3.0, 2.0]), (&[1], &[count])];
        check(&ssd_nms(), &tensors)
    };
    let found = run(2.0).unwrap();
    assert_eq!(found.iter().map(|one| one.class.0).collect::<Vec<_>>(), [0, 2]);
    assert!(run(4.0).is_err() && run(f32::NAN).is_err() && run(-1.0).is_err());
}

#[test]
fn yolox_decodes_cell_stride_and_logarithm() {
    // 2 x 2 cells of 16 pixels and one of 32; two classes. The cell at (1, 0) of the first grid sees class 1.
    let mut values = vec![0.0; 5 * 7];
    values[7..14].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.1, 0.8]);
    let found = check(&yolox(), &[(&[1, 5, 7], &values)]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].class, ClassIndex(1));
    assert!((found[0].confidence - 0.72).abs() < 1e-6);
    // Centre (1.5 * 16, 0.5 * 16) = (24, 8), size 16 x 16, of an input of 32 x 32.
    assert_eq!(corners(&found[0]), [0.5, 0.0, 1.0, 0.5]);
}

#[test]
fn a_wrong_number_of_tensors_or_shape_is_an_error() {
    assert_eq!(check(&ssd(), &[]), Err(TensorError::Missing(0)));
    assert!(check(&ssd(), &[(&[1, 2, 4], &[0.0; 8]), (&[1, 3, 1], &[0.0; 3])]).is_err());
    assert!(check(&ssd(), &[(&[2, 4], &[0.0; 8]), (&[1, 2, 1], &[0.0; 2])]).is_err());
    assert!(check(&ssd(), &[(&[1, -2, 4], &[]), (&[1, -2, 1], &[])]).is_err());
    assert!(check(&ssd(), &[(&[1, 2, 4], &[0.0; 7]), (&[1, 2, 1], &[0.0; 2])]).is_err());
    assert!(check(&yolox(), &[(&[1, 4, 7], &[0.0; 28])]).is_err());
    assert!(check(&yolox(), &[(&[1, 5, 5], &[0.0; 25])]).is_err());
}

#[test]
fn no_anchors_are_nothing_seen() {
    assert_eq!(check(&ssd(), &[(&[1, 0, 4], &[]), (&[1, 0, 90], &[])]), Ok(vec![]));
}

#[test]
fn output_that_is_not_finite_is_an_error() {
    let boxes = [0.0, 0.0, 0.5, f32::INFINITY];
    let run = |score| check(&ssd(), &[(&[1, 1, 4], &boxes), (&[1, 1, 1], &[score])]);
    assert_eq!(run(0.9), Err(TensorError::NotFinite));
    assert_eq!(run(f32::NAN), Err(TensorError::NotFinite));
    let mut values = vec![0.0; 35];
    values[2..7].copy_from_slice(&[1e9, 0.0, 0.9, 0.9, 0.9]);
    assert_eq!(check(&yolox(), &[(&[1, 5, 7], &values)]), Err(TensorError::NotFinite));
}

proptest! {
    #[test]
    fn no_output_makes_a_decoder_panic_and_every_detection_is_sane(
        values in prop::collection::vec(prop_oneof![any::<f32>(), 0.0f32..1.0], 40),
        classes in 1usize..4, rows in 0usize..6,
    ) {
        let size = |n: usize| i64::try_from(n).unwrap();
        let boxes = &values[..4 * rows];
        let results = [
            check(&ssd(), &[(&[1, size(rows), 4], boxes), (&[1, size(rows), size(classes)], &values[..rows * classes])]),
            check(&ssd_nms(), &[(&[1, size(rows), 4], boxes), (&[1, size(rows)], &values[..rows]),
                                (&[1, size(rows)], &values[20..20 + rows]), (&[1], &values[39..40])]),
            check(&yolox(), &[(&[1, 5, 7], &values[..35])]),
        ];
        for detection in results.into_iter().flatten().flatten() {
            prop_assert!((0.5..=1.0).contains(&detection.confidence));
            let found = detection.bounding_box.unwrap();
            prop_assert!(found.left >= 0.0 && found.right() <= 1.0001 && found.area() > 0.0);
        }
    }
}
