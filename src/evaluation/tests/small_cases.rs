//! Cases that can be computed by hand.

use super::*;
use crate::evaluation::{Evaluation, Refused};

const HERE: [f64; 4] = [100.0, 100.0, 50.0, 100.0];
/// Has an IoU of 0.7 with [`HERE`].
const NEARLY_HERE: [f64; 4] = [100.0, 100.0, 50.0, 70.0];
const ELSEWHERE: [f64; 4] = [300.0, 100.0, 50.0, 100.0];

fn crowd(id: u64, image: u64, category: u64, numbers: [f64; 4]) -> Value {
    let mut crowd = annotation(id, image, category, numbers);
    crowd["iscrowd"] = json!(1);
    crowd
}

/// Compares AP, AP50, AP75 and AR100 of people.
fn check(case: &str, annotations: &[Value], detections: &[(u64, Found)], expected: Option<[f64; 4]>) {
    let truth = ground_truth(3, annotations);
    let figures = evaluate(&truth, detections).categories[0].figures;
    let got = [figures.ap, figures.ap50, figures.ap75, figures.ar100];
    for (at, got) in got.into_iter().enumerate() {
        match expected {
            None => assert_eq!(got, None, "{case}"),
            Some(expected) => {
                let close = got.is_some_and(|got| (got - expected[at]).abs() < 1e-9);
                assert!(close, "{case}: {at} is {got:?} and should be {}", expected[at]);
            }
        }
    }
}

#[test]
fn one_person_in_one_image() {
    let person = || annotation(1, 1, 1, HERE);
    check("nothing to find", &[], &[(1, found(1, 0.9, HERE))], None);
    check("only a crowd to find", &[crowd(1, 1, 1, HERE)], &[(1, found(1, 0.9, HERE))], None);
    check("nothing found", &[person()], &[], Some([0.0; 4]));
    check("found", &[person()], &[(1, found(1, 0.9, HERE))], Some([1.0; 4]));
    check("found in another image", &[person()], &[(2, found(1, 0.9, HERE))], Some([0.0; 4]));
    check("found as another thing", &[person()], &[(1, found(2, 0.9, HERE))], Some([0.0; 4]));
    // 0.50, 0.55, ... 0.70 of ten thresholds.
    check("nearly", &[person()], &[(1, found(1, 0.9, NEARLY_HERE))], Some([0.5, 1.0, 0.0, 0.5]));
}

#[test]
fn precision_falls_with_what_was_found_wrongly_before() {
    let person = || annotation(1, 1, 1, HERE);
    let wrong_first = [(1, found(1, 0.9, ELSEWHERE)), (1, found(1, 0.8, HERE))];
    check("the wrong one first", &[person()], &wrong_first, Some([0.5, 0.5, 0.5, 1.0]));
    let right_first = [(1, found(1, 0.9, HERE)), (1, found(1, 0.8, ELSEWHERE))];
    check("the right one first", &[person()], &right_first, Some([1.0; 4]));
    let twice = [(1, found(1, 0.9, HERE)), (1, found(1, 0.8, HERE))];
    check("found twice", &[person()], &twice, Some([1.0; 4]));
    // One of two people is found: recalls 0, 0.01, ... 0.50 are reached, 51 of 101.
    let half = 51.0 / 101.0;
    let two = [person(), annotation(2, 2, 1, HERE)];
    check("one of two", &two, &[(1, found(1, 0.9, HERE))], Some([half, half, half, 0.5]));
    // Right, wrong, right: the precision is 1 up to a recall of 0.5, then 2/3.
    let with_one_wrong = [right_first[0], right_first[1], (2, found(1, 0.7, HERE))];
    let area = (51.0 + 50.0 * 2.0 / 3.0) / 101.0;
    check("two of two and a wrong one", &two, &with_one_wrong, Some([area, area, area, 1.0]));
}

#[test]
fn with_one_score_the_earlier_image_and_the_earlier_detection_come_first() {
    let person = [annotation(1, 2, 1, HERE)];
    let wrong_image_first = [(2, found(1, 0.5, HERE)), (1, found(1, 0.5, HERE))];
    check("by image, whatever came first", &person, &wrong_image_first, Some([0.5, 0.5, 0.5, 1.0]));
    let right_first = [(2, found(1, -0.0, HERE)), (2, found(1, 0.0, ELSEWHERE))];
    check("in one image as they came", &person, &right_first, Some([1.0; 4]));
}

#[test]
fn what_lies_on_a_crowd_is_neither_right_nor_wrong() {
    let person_and_crowd = [annotation(1, 1, 1, HERE), crowd(2, 1, 1, [280.0, 50.0, 200.0, 200.0])];
    let in_the_crowd = (1, found(1, 0.9, ELSEWHERE));
    let detections = [in_the_crowd, in_the_crowd, (1, found(1, 0.8, HERE))];
    check("in the crowd", &person_and_crowd, &detections, Some([1.0; 4]));
    // Half of it is in the crowd, so it is ignored at the threshold 0.50 only.
    let half_in = [(1, found(1, 0.9, [270.0, 100.0, 20.0, 20.0])), (1, found(1, 0.8, HERE))];
    check("half in the crowd", &person_and_crowd, &half_in, Some([0.55, 1.0, 0.5, 1.0]));
    // An object has priority over the crowd around it, which overlaps more.
    let around = [annotation(1, 1, 1, HERE), crowd(2, 1, 1, [50.0, 50.0, 300.0, 300.0])];
    check("a person before a crowd", &around, &[(1, found(1, 0.9, NEARLY_HERE))], Some([0.5, 1.0, 0.0, 0.5]));
}

#[test]
fn sizes_go_by_the_outline_and_their_bounds_belong_to_both() {
    let mut person = annotation(1, 1, 1, HERE);
    for (area, small, medium, large) in [
        (1023.9, true, false, false),
        (1024.0, true, true, false),
        (9216.0, false, true, true),
        (1e10, false, false, true),
    ] {
        person["area"] = json!(area);
        let truth = ground_truth(1, &[person.clone()]);
        let figures = evaluate(&truth, &[(1, found(1, 0.9, HERE))]).overall;
        let there = |figure: Option<f64>| figure.is_some_and(|figure| figure > 0.999);
        let got = (there(figures.ap_small), there(figures.ap_medium), there(figures.ap_large));
        assert_eq!(got, (small, medium, large), "{area}");
        assert_eq!(figures.ap_small.is_some(), small, "{area}");
    }
}

#[test]
fn of_a_detection_too_many_nothing_is_counted() {
    let truth = ground_truth(1, &[annotation(1, 1, 1, HERE)]);
    for (before, [ar1, ar10, ar100]) in [
        (0, [1.0, 1.0, 1.0]),
        (1, [0.0, 1.0, 1.0]),
        (9, [0.0, 1.0, 1.0]),
        (10, [0.0, 0.0, 1.0]),
        (100, [0.0, 0.0, 0.0]),
    ] {
        let mut detections = vec![(1, found(1, 0.5, HERE))];
        detections.extend(std::iter::repeat_n((1, found(1, 0.9, ELSEWHERE)), before));
        let figures = evaluate(&truth, &detections).overall;
        assert_eq!((figures.ar1, figures.ar10, figures.ar100), (Some(ar1), Some(ar10), Some(ar100)), "{before}");
    }
}

#[test]
fn the_mean_is_over_the_categories_that_are_annotated() {
    let truth = ground_truth(1, &[annotation(1, 1, 1, HERE), crowd(2, 1, 2, ELSEWHERE)]);
    let summary = evaluate(&truth, &[(1, found(1, 0.9, NEARLY_HERE)), (1, found(2, 0.9, HERE))]);
    let [person, car] = &summary.categories[..] else { panic!("two categories") };
    assert_eq!((person.name.as_str(), person.objects, car.name.as_str(), car.objects), ("person", 1, "car", 0));
    assert_eq!((summary.overall, car.figures), (person.figures, Figures::default()));
    assert_eq!(summary.over(&[person.id, person.id, CategoryId(9)]), person.figures);
    assert_eq!(summary.over(&[car.id]), Figures::default());
    assert_eq!(summary.over(&[]), Figures::default());
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let truth = ground_truth(1, &[annotation(1, 1, 1, HERE)]);
    let mut evaluation = Evaluation::new(&truth);
    let good = found(1, 0.9, HERE);
    let no_score = |score| Found { score, ..good };
    for (image, second, expected) in [
        (2, good, Refused::UnknownImage(ImageId(2))),
        (1, found(9, 0.9, HERE), Refused::UnknownCategory(CategoryId(9))),
        (1, no_score(f64::NAN), Refused::ScoreNotFinite(ImageId(1))),
        (1, no_score(f64::INFINITY), Refused::ScoreNotFinite(ImageId(1))),
    ] {
        assert_eq!(evaluation.add(ImageId(image), &[good, second]), Err(expected));
    }
    assert_eq!(evaluation.summary().overall.ap, Some(0.0));
}

#[test]
fn over_named_images_each_counts_as_often_as_it_is_named() {
    let truth = ground_truth(3, &[annotation(1, 1, 1, HERE), annotation(2, 2, 1, HERE)]);
    let mut evaluation = Evaluation::new(&truth);
    evaluation.add(ImageId(1), &[found(1, 0.9, HERE)]).unwrap();
    evaluation.add(ImageId(3), &[found(1, 0.8, HERE)]).unwrap();
    let judged = evaluation.judged();
    let over = |images: &[u64]| judged.average_precision(&images.iter().map(|id| ImageId(*id)).collect::<Vec<_>>());
    assert_eq!(over(&[1, 2, 3]), evaluation.summary().overall.ap);
    assert_eq!(over(&[1, 1]), Some(1.0));
    assert_eq!(over(&[2, 2]), Some(0.0));
    // One of three is missed: recalls up to 2/3 are reached, 67 of 101.
    let two_thirds = over(&[1, 2, 1]).unwrap();
    assert!((two_thirds - 67.0 / 101.0).abs() < 1e-9, "{two_thirds}");
    assert_eq!((over(&[3]), over(&[])), (None, None));
}
