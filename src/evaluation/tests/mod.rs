//! Tests of reading, of small cases, against pycocotools, and of properties for arbitrary input.

mod annotation_files;
mod golden;
mod small_cases;
mod whatever_comes;

use crate::evaluation::{CategoryId, Figures, Found, GroundTruth, GroundTruthError, ImageId, PixelBox, Summary};
use serde_json::{Value, json};

/// Loads an annotation file with this text.
fn load(text: &str) -> Result<GroundTruth, GroundTruthError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("instances.json");
    std::fs::write(&path, text).unwrap();
    GroundTruth::load(&path)
}

/// A ground truth with images 1..=`images` and the categories 1 `person` and 2 `car`.
fn ground_truth(images: u64, annotations: &[Value]) -> GroundTruth {
    let images: Vec<Value> = (1..=images)
        .map(|id| json!({"id": id, "file_name": format!("{id}.jpg"), "width": 640, "height": 480}))
        .collect();
    let categories = json!([{"id": 1, "name": "person"}, {"id": 2, "name": "car"}]);
    load(&json!({"images": images, "annotations": annotations, "categories": categories}).to_string()).unwrap()
}

/// An object that fills its box; `numbers` are left, top, width, height.
fn annotation(id: u64, image: u64, category: u64, numbers: [f64; 4]) -> Value {
    let area = numbers[2] * numbers[3];
    json!({"id": id, "image_id": image, "category_id": category, "bbox": numbers, "area": area, "iscrowd": 0})
}

fn found(category: u64, score: f64, [left, top, width, height]: [f64; 4]) -> Found {
    let bounding_box = PixelBox::new(left, top, width, height).unwrap();
    Found { category: CategoryId(category), score, bounding_box }
}

/// The figures with their names.
fn named(figures: &Figures) -> Vec<(String, Option<f64>)> {
    let Value::Object(figures) = serde_json::to_value(figures).unwrap() else { panic!("figures have names") };
    figures.into_iter().map(|(name, value)| (name, value.as_f64())).collect()
}

/// The summary of these detections, each with the id of its image.
fn evaluate(truth: &GroundTruth, found: &[(u64, Found)]) -> Summary {
    let mut evaluation = crate::evaluation::Evaluation::new(truth);
    for (image, one) in found {
        evaluation.add(ImageId(*image), &[*one]).unwrap();
    }
    evaluation.summary()
}
