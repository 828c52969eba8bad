//! Compares the figures with those of pycocotools 2.0, on data from `tools/coco_golden.py`.

use super::*;
use crate::evaluation::{Evaluation, Refused};
use std::path::Path;

/// Image, category, score, left, top, width, height.
type Row = (u64, u64, f64, f64, f64, f64, f64);

fn check(what: &str, figures: &Figures, expected: &Value) {
    let figures = named(figures);
    assert_eq!(figures.len(), 12);
    for (name, value) in figures {
        let golden = expected.get(&name).unwrap().as_f64();
        let is_equal = match (value, golden) {
            (Some(value), Some(golden)) => (value - golden).abs() < 1e-6,
            (value, golden) => value.is_none() && golden.is_none(),
        };
        assert!(is_equal, "{what}: {name} is {value:?} and should be {golden:?}");
    }
}

fn check_file(path: &Path) {
    // The file is a COCO file with further keys, which are ignored.
    let truth = GroundTruth::load(path).unwrap();
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut evaluation = Evaluation::new(&truth);
    let rows: Vec<Row> = serde_json::from_value(golden["detections"].clone()).unwrap();
    for (image, category, score, left, top, width, height) in rows {
        let added = evaluation.add(ImageId(image), &[found(category, score, [left, top, width, height])]);
        // pycocotools ignores a category that is not listed; here it is an error.
        let is_listed = truth.categories().any(|listed| listed.id.0 == category);
        assert_eq!(added, if is_listed { Ok(()) } else { Err(Refused::UnknownCategory(CategoryId(category))) });
    }
    let summary = evaluation.summary();
    let expected = &golden["figures"];
    check("all", &summary.overall, &expected["overall"]);
    assert_eq!(summary.categories.len(), expected["categories"].as_object().unwrap().len());
    for category in &summary.categories {
        check(&category.name, &category.figures, &expected["categories"][category.id.0.to_string()]);
    }
    let subsets = expected["subsets"].as_array().unwrap();
    assert!(!subsets.is_empty());
    for subset in subsets {
        let of: Vec<CategoryId> = serde_json::from_value(subset["of"].clone()).unwrap();
        check(&format!("{of:?}"), &summary.over(&of), &subset["figures"]);
    }
}

#[test]
fn every_figure_is_that_of_pycocotools() {
    check_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/coco_ap.json"));
}
