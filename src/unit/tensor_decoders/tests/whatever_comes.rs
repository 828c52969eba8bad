//! Every layout with invalid output.

use super::*;
use proptest::prelude::*;

/// Every layout with tensors of `rows` places and `classes` classes cut out of `values`.
fn every_layout(values: &[f32], rows: usize, classes: usize) -> Vec<Result<Vec<Detection>, TensorError>> {
    let size = |n: usize| i64::try_from(n).unwrap();
    let (n, c) = (size(rows), size(classes));
    let part = |count: usize| &values[..count];
    let boxes: (&[i64], &[f32]) = (&[1, n, 4], part(4 * rows));
    let scores: (&[i64], &[f32]) = (&[1, n, c], part(rows * classes));
    let column: (&[i64], &[f32]) = (&[1, n], part(rows));
    let mut results = vec![
        check(&ssd(Corners::Yxyx, false), &[boxes, scores]),
        check(&ssd(Corners::Xyxy, true), &[boxes, scores]),
        check(&pixel_boxes(), &[boxes, scores]),
        check(&ssd_anchors(AnchorEncoding::Corners), &[boxes, boxes, scores]),
        check(&ssd_anchors(AnchorEncoding::Centers), &[boxes, boxes, scores]),
        check(&ssd_nms(), &[boxes, column, column, (&[1], &[rows as f32])]),
        check(&yolox_grid(), &[(&[1, 5, 5 + c], part(5 * (5 + classes)))]),
        check(&yolov5(), &[(&[1, n, 5 + c], part(rows * (5 + classes)))]),
        check(&yolov8(None), &[(&[1, 4 + c, n], part(rows * (4 + classes)))]),
        check(&end_to_end(), &[(&[1, n, 6], part(6 * rows))]),
        check(&end_to_end_rows(), &[(&[n, 7], part(7 * rows))]),
        check(&detr(Activation::Sigmoid), &[scores, boxes]),
        check(&detr(Activation::Softmax), &[scores, boxes]),
        check(&rt_detr(), &[column, boxes, column]),
        check(&nano_det(), &[(&[1, 4, c], part(4 * classes)), (&[1, 4, 8], part(32))]),
        check(&fastest_det(), &[(&[1, 5 + c, 1, n], part(rows * (5 + classes)))]),
    ];
    for activation in [Activation::None, Activation::Sigmoid, Activation::Softmax] {
        results.push(check(&classifier(activation), &[(&[1, c], part(classes))]));
    }
    results
}

#[test]
fn a_wrong_number_of_tensors_or_shape_is_an_error() {
    let plain = ssd(Corners::Yxyx, false);
    assert_eq!(check(&plain, &[]), Err(TensorError::Missing(0)));
    assert!(check(&plain, &[(&[1, 2, 4], &[0.0; 8]), (&[1, 3, 1], &[0.0; 3])]).is_err());
    assert!(check(&plain, &[(&[2, 4], &[0.0; 8]), (&[1, 2, 1], &[0.0; 2])]).is_err());
    assert!(check(&plain, &[(&[1, -2, 4], &[]), (&[1, -2, 1], &[])]).is_err());
    assert!(check(&plain, &[(&[1, 2, 4], &[0.0; 7]), (&[1, 2, 1], &[0.0; 2])]).is_err());
    assert!(check(&yolox_grid(), &[(&[1, 4, 7], &[0.0; 28])]).is_err());
    for layout in [yolox_grid(), yolov5()] {
        assert!(check(&layout, &[(&[1, 5, 5], &[0.0; 25])]).is_err(), "no class");
    }
    assert!(check(&yolov8(None), &[(&[1, 4, 5], &[0.0; 20])]).is_err(), "no class");
    assert!(check(&end_to_end(), &[(&[1, 5, 7], &[0.0; 35])]).is_err());
    assert!(check(&end_to_end_rows(), &[(&[1, 5, 7], &[0.0; 35])]).is_err());
    assert!(check(&fastest_det(), &[(&[1, 5, 1, 1], &[0.0; 5])]).is_err());
    assert!(check(&nano_det(), &[(&[1, 4, 1], &[0.0; 4]), (&[1, 4, 7], &[0.0; 28])]).is_err());
    assert!(check(&nano_det(), &[(&[1, 4, 1], &[0.0; 4])]).is_err());
    assert!(check(&classifier(Activation::None), &[(&[2, 2], &[0.0; 4])]).is_err());
}

#[test]
fn no_places_are_an_empty_result() {
    for (index, found) in every_layout(&[-40.0; 64], 0, 3).into_iter().enumerate() {
        assert_eq!(found, Ok(vec![]), "layout {index}");
    }
}

#[test]
fn scores_that_are_not_finite_are_an_error_and_not_an_empty_result() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (index, found) in every_layout(&[value; 64], 3, 2).into_iter().enumerate() {
            assert!(found.is_err(), "layout {index} takes {value}");
        }
    }
}

/// A place with a high score whose box has one value that is not finite.
#[test]
fn a_box_that_is_not_finite_is_an_error_and_not_dropped() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let corners = [0.2, 0.2, value, 0.6];
        let (boxes, scores): (Given<'_>, Given<'_>) = ((&[1, 1, 4], &corners), (&[1, 1, 2], &[0.1, 0.9]));
        let one: Given<'_> = (&[1, 1], &[1.0]);
        let mut grid = vec![0.0; 5 * 7];
        grid[..7].copy_from_slice(&[0.5, 0.5, value, 0.0, 0.9, 0.1, 0.9]);
        let sides = [0.0, 0.0, 0.0, value, 0.0, 0.0, 0.0, 0.0].repeat(4);
        let cell = [0.9, value, 0.0, 0.0, 0.0, 0.1, 0.9];
        let results = [
            check(&ssd(Corners::Yxyx, false), &[boxes, scores]),
            check(&ssd_anchors(AnchorEncoding::Corners), &[boxes, (&[1, 1, 4], &[0.2, 0.2, 0.4, 0.6]), scores]),
            check(&ssd_anchors(AnchorEncoding::Centers), &[(&[1, 1, 4], &[0.0; 4]), boxes, scores]),
            check(&ssd_nms(), &[boxes, one, one, (&[1], &[1.0])]),
            check(&pixel_boxes(), &[(&[1, 1, 4], &[8.0, 8.0, value, 16.0]), scores]),
            check(&end_to_end_rows(), &[(&[1, 7], &[0.0, 8.0, 8.0, value, 24.0, 1.0, 0.9])]),
            check(&yolox_grid(), &[(&[1, 5, 7], &grid)]),
            check(&yolov5(), &[(&[1, 1, 7], &[value, 8.0, 16.0, 8.0, 0.9, 0.1, 0.9])]),
            check(&yolov8(None), &[(&[1, 6, 1], &[16.0, 8.0, value, 8.0, 0.1, 0.9])]),
            check(&end_to_end(), &[(&[1, 1, 6], &[8.0, 8.0, value, 24.0, 0.9, 1.0])]),
            check(&detr(Activation::Sigmoid), &[(&[1, 1, 2], &[-5.0, 5.0]), boxes]),
            check(&detr(Activation::Softmax), &[(&[1, 1, 2], &[5.0, -5.0]), boxes]),
            check(&rt_detr(), &[one, boxes, one]),
            check(&nano_det(), &[(&[1, 4, 1], &[0.9; 4]), (&[1, 4, 8], &sides)]),
            check(&fastest_det(), &[(&[1, 7, 1, 1], &cell)]),
        ];
        for (index, found) in results.into_iter().enumerate() {
            assert_eq!(found, Err(TensorError::NotFinite), "layout {index} takes {value}");
        }
    }
}

proptest! {
    #[test]
    fn no_output_makes_a_decoder_panic_and_every_detection_is_sane(
        values in prop::collection::vec(prop_oneof![any::<f32>(), 0.0f32..1.0, -40.0f32..40.0], 64),
        classes in 1usize..4, rows in 0usize..6,
    ) {
        for detection in every_layout(&values, rows, classes).into_iter().flatten().flatten() {
            prop_assert!((0.5..=1.0).contains(&detection.confidence));
            if let Some(found) = detection.bounding_box {
                prop_assert!(found.left >= 0.0 && found.right() <= 1.0001 && found.area() > 0.0);
            }
        }
    }
}
