//! For arbitrary annotations and detections, figures are ratios, and those of a perfect detector are 1.

use super::*;
use proptest::prelude::*;

/// Realistic sizes, and extreme ones.
fn any_size() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..400.0_f64, 1 => Just(0.0), 1 => Just(f64::MIN_POSITIVE), 1 => Just(f64::MAX), 1 => 0.0..f64::MAX]
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -100.0..500.0_f64, 1 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(f64::MAX)]
}

/// Id, image, category, crowd, box.
fn any_annotation() -> impl Strategy<Value = (u64, u64, bool, [f64; 4])> {
    let numbers = (-100.0..500.0_f64, -100.0..500.0_f64, any_size(), any_size());
    (1..4_u64, 1..3_u64, any::<bool>(), numbers.prop_map(|(left, top, width, height)| [left, top, width, height]))
}

proptest! {
    #[test]
    fn figures_are_ratios_whatever_comes(
        annotated in prop::collection::vec(any_annotation(), 0..12),
        detected in prop::collection::vec((1..4_u64, 1..3_u64, any_number(), prop::array::uniform4(any_number())), 0..40),
        repeats in 1..5_usize,
    ) {
        let annotations: Vec<Value> = annotated.iter().enumerate().map(|(id, &(image, category, is_crowd, numbers))| {
            let area = (numbers[2] * numbers[3]).min(f64::MAX);
            json!({"id": id, "image_id": image, "category_id": category, "bbox": numbers, "area": area,
                   "iscrowd": u8::from(is_crowd)})
        }).collect();
        let truth = ground_truth(3, &annotations);
        let mut evaluation = crate::evaluation::Evaluation::new(&truth);
        for (image, category, score, [left, top, width, height]) in detected {
            let Ok(bounding_box) = PixelBox::new(left, top, width, height) else { continue };
            let one = Found { category: CategoryId(category), score, bounding_box };
            let added = evaluation.add(ImageId(image), &vec![one; repeats]);
            prop_assert_eq!(added.is_ok(), score.is_finite());
        }
        let summary = evaluation.summary();
        let all = summary.categories.iter().map(|category| &category.figures).chain([&summary.overall]);
        for (name, figure) in all.flat_map(named) {
            prop_assert!(figure.is_none_or(|figure| (0.0..=1.0).contains(&figure)), "{} is {:?}", name, figure);
        }
        for category in &summary.categories {
            let has_objects = annotated.iter().any(|(_, of, is_crowd, _)| *of == category.id.0 && !is_crowd);
            prop_assert_eq!(category.objects > 0, has_objects);
        }
    }

    /// Each box is found exactly, in any order of scores, with at most ten of a category in an image.
    #[test]
    fn perfect_detections_give_one(
        boxes in prop::collection::vec((1..4_u64, 1..3_u64, 0.0..500.0_f64, 0.0..400.0_f64, 1.0..300.0_f64, 0.0..1.0_f64), 1..11),
    ) {
        let mut annotations = Vec::new();
        let mut detections = Vec::new();
        for (id, (image, category, left, top, side, score)) in boxes.into_iter().enumerate() {
            let numbers = [left, top, side, side];
            annotations.push(annotation(id as u64, image, category, numbers));
            detections.push((image, found(category, score, numbers)));
        }
        let summary = evaluate(&ground_truth(3, &annotations), &detections);
        for (name, figure) in named(&summary.overall) {
            let is_whole = figure.is_none_or(|figure| (figure - 1.0).abs() < 1e-9);
            prop_assert!(is_whole || name == "ar1", "{} is {:?}", name, figure);
        }
        prop_assert!(summary.overall.ap.is_some());
    }
}

#[test]
fn the_size_of_cocos_validation_set_is_no_matter() {
    let numbers = |id: u64| [(id % 500) as f64, (id % 300) as f64, 20.0 + (id % 90) as f64, 30.0 + (id % 70) as f64];
    let annotations: Vec<Value> =
        (0..36_000).map(|id| annotation(id, 1 + id % 5_000, 1 + id % 2, numbers(id))).collect();
    let detections: Vec<(u64, Found)> =
        (0..36_000).map(|id| (1 + id % 5_000, found(1 + id % 2, (id % 97) as f64, numbers(id)))).collect();
    let summary = evaluate(&ground_truth(5_000, &annotations), &detections);
    assert!(summary.overall.ap.is_some_and(|ap| (ap - 1.0).abs() < 1e-9));
}
